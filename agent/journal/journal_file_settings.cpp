// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What a journal file holds beside its records: what births announced, classes given by the centre, the eras
// of the clock.
#include "agent/journal/journal_file.hpp"
#include "agent/journal/row_sums.hpp"

namespace watchroom::agent {

Result<std::map<std::string, std::string>> JournalFile::announced() {
  auto select = database_.prepare("SELECT device, birth FROM announced");
  if (!select) return select.error();
  std::map<std::string, std::string> births;
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return births;
    births[select->text(0)] = select->blob(1);
  }
}

Result<void> JournalFile::store_announced(
    std::size_t count, const std::function<std::pair<std::string, std::string>(std::size_t)>& birth,
    std::int64_t sum) {
  return in_transaction([&]() -> Result<void> {
    if (auto cleared = database_.execute("DELETE FROM announced"); !cleared) return cleared;
    auto insert = database_.prepare("INSERT INTO announced VALUES(?, ?)");
    if (!insert) return insert.error();
    for (std::size_t i = 0; i < count; ++i) {
      const auto [device, bytes] = birth(i);
      if (auto done = insert->bind(1, device).bind_blob(2, bytes).run(); !done) return done;
    }
    return store_number("announced_sum", sum);
  });
}

Result<void> JournalFile::write_classes(const std::map<std::string, std::string>& classes) {
  if (auto cleared = database_.execute("DELETE FROM setting WHERE name LIKE 'class %'"); !cleared)
    return cleared;
  auto store = database_.prepare("INSERT INTO setting VALUES(?, ?, ?)");
  if (!store) return store.error();
  for (const auto& [device, name] : classes) {
    const std::string key = "class " + device;
    if (auto done = store->bind(1, key).bind(2, name).bind(3, sum_of_setting(key, name)).run(); !done)
      return done;
  }
  return {};
}

Result<std::map<std::string, std::string>> JournalFile::classes() {
  std::map<std::string, std::string> given;
  auto select = database_.prepare("SELECT name, value, sum FROM setting WHERE name LIKE 'class %'");
  if (!select) return select.error();
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return given;
    const std::string key = select->text(0), name = select->text(1);
    if (!fits(*select, 2, sum_of_setting(key, name)))
      return fail(Errc::corrupt, Retry::never, "the {} fails its checksum", key);
    given[key.substr(std::string_view{"class "}.size())] = name;
  }
}

Result<void> JournalFile::store_eras(const std::vector<ClockEra>& eras) {
  if (eras.empty()) return {};
  auto store = database_.prepare("INSERT OR REPLACE INTO era VALUES(?, ?, ?, ?, ?)");
  if (!store) return store.error();
  for (const ClockEra& era : eras) {
    store->bind(1, era.number).bind(2, era.boot).bind(3, era.offset.count());
    store->bind(4, static_cast<std::int64_t>(era.trust)).bind(5, era.correction.count());
    if (auto done = store->run(); !done) return done;
  }
  return {};
}

Result<void> JournalFile::forget_eras() {
  return database_.execute(
      "DELETE FROM era WHERE number NOT IN (SELECT era FROM record WHERE era IS NOT NULL)");
}

Result<std::vector<ClockEra>> JournalFile::eras() {
  auto select = database_.prepare("SELECT number, boot, offset_ms, trust, correction_ms FROM era");
  if (!select) return select.error();
  std::vector<ClockEra> known;
  while (true) {
    const auto row = select->step();
    if (!row) return row.error();
    if (!*row) return known;
    // What is not a trust is read as none: times that cannot be vouched for are told as such.
    const std::int64_t trust = select->integer(3);
    known.push_back({select->integer(0), select->text(1), std::chrono::milliseconds{select->integer(2)},
                     trust == 0 || trust == 1 ? static_cast<ClockTrust>(trust) : ClockTrust::unsure,
                     std::chrono::milliseconds{select->integer(4)}});
  }
}

}  // namespace watchroom::agent
