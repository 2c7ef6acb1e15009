// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/store/store.hpp"

#include <array>
#include <cstring>

#include "aggregator/store/rows.hpp"

namespace watchroom::aggregator {

/// Generated from migrations/.
std::string_view migration_0001_spine();
std::string_view migration_0002_late_watch();
std::string_view migration_0003_journal_lost();
std::string_view migration_0004_totals();
std::string_view migration_0005_profiles();

Result<Store> Store::open(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Errc::io, Retry::never, "{}: {}", folder.string(), error.message());
  // Alarms wait behind this writer: a lock that does not end soon is a failure to be told, not waited for.
  auto database =
      Database::open(folder / "watchroom.db", Durability::power_cut, std::chrono::milliseconds{500});
  if (!database) return database.error();
  Store store{*std::move(database)};
  if (auto migrated = store.migrate(); !migrated)
    return in(migrated.error(), (folder / "watchroom.db").string());
  return store;
}

Result<void> Store::migrate() {
  const std::array migrations{migration_0001_spine(), migration_0002_late_watch(),
                              migration_0003_journal_lost(), migration_0004_totals(),
                              migration_0005_profiles()};
  constexpr auto newest = static_cast<std::int64_t>(migrations.size());
  auto version = database_.prepare("PRAGMA user_version");
  if (!version) return version.error();
  if (auto row = version->step(); !row) return row.error();
  const std::int64_t found = version->integer(0);
  version->reset();
  if (found > newest)
    return fail(Errc::invalid, Retry::never,
                "it was written by a newer Watchroom (schema {}, this one knows {})", found, newest);
  for (auto step = found; step < newest; ++step) {
    const auto sql = fmt::format("BEGIN; {} PRAGMA user_version={}; COMMIT;",
                                 migrations.at(static_cast<std::size_t>(step)), step + 1);
    if (auto done = database_.execute(sql); !done) return done.error();
  }
  return {};
}

Result<Statement*> Store::statement(std::string_view sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) return &known->second;
  auto prepared = database_.prepare(sql);
  if (!prepared) return prepared.error();
  return &statements_.emplace(std::string{sql}, *std::move(prepared)).first->second;
}

Result<void> Store::begin() {
  if (auto begun = database_.execute("BEGIN IMMEDIATE"); !begun) return begun.error();
  in_transaction_ = true;
  return {};
}

Result<void> Store::commit() {
  in_transaction_ = false;
  if (auto done = database_.execute("COMMIT"); !done) {
    (void)database_.execute("ROLLBACK");
    return done.error();
  }
  return {};
}

void Store::roll_back() {
  in_transaction_ = false;
  (void)database_.execute("ROLLBACK");
}

Result<NodeId> Store::save_node(const NodeKey& key, const std::string& name,
                                const std::string& software_version) {
  auto save = statement(
      "INSERT INTO node (site, agent, name, software_version) VALUES (?, ?, ?, ?) ON CONFLICT (site, agent) "
      "DO UPDATE "
      "SET name = excluded.name, software_version = excluded.software_version RETURNING id");
  if (!save) return save.error();
  (*save)->bind(1, key.site).bind(2, key.agent).bind(3, name).bind(4, software_version);
  return returned_id(**save);
}

Result<void> Store::save_journal_lost(NodeId node, std::uint64_t lost) {
  auto save = statement("UPDATE node SET journal_lost = ? WHERE id = ?");
  if (!save) return save.error();
  (*save)->bind(1, static_cast<std::int64_t>(lost)).bind(2, node);
  return (*save)->run();
}

Result<DeviceId> Store::save_device(NodeId node, const StoredDevice& device) {
  auto save = statement(
      "INSERT INTO device (node_id, device, name, maker, model, class, max_silence_s, class_configured, "
      "poll_interval_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (node_id, device) DO UPDATE SET name "
      "= excluded.name, maker = excluded.maker, model = excluded.model, class = excluded.class, "
      "max_silence_s = excluded.max_silence_s, class_configured = excluded.class_configured, "
      "poll_interval_ms = excluded.poll_interval_ms RETURNING id");
  if (!save) return save.error();
  Statement& s = **save;
  s.bind(1, node).bind(2, device.device).bind(3, device.name).bind(4, device.maker).bind(5, device.model);
  s.bind(6, device.resource_class).bind(8, device.class_configured);
  const auto bind_count = [&](int at, const auto& time) {
    if (time)
      s.bind(at, static_cast<std::int64_t>(time->count()));
    else
      s.bind_null(at);
  };
  bind_count(7, device.max_silence);
  bind_count(9, device.poll_interval);
  return returned_id(s);
}

Result<PointId> Store::save_point(DeviceId device, const StoredPoint& point) {
  auto save = statement(
      "INSERT INTO point (device_id, name, unit, states, alarms) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
      "(device_id, name) DO UPDATE SET unit = excluded.unit, states = excluded.states, alarms = "
      "excluded.alarms RETURNING id");
  if (!save) return save.error();
  (*save)->bind(1, device).bind(2, point.name).bind(3, point.unit).bind(4, point.states);
  (*save)->bind(5, point.alarms);
  return returned_id(**save);
}

Result<std::optional<std::int64_t>> Store::save_record(const InboxRow& row, Timestamp now) {
  auto save = statement(
      "INSERT INTO inbox (node_id, device, journal_id, generation, record, received_ms, committed_ms, "
      "payload) VALUES "
      "(?, ?, ?, ?, ?, ?, ?, ?)");
  if (!save) return save.error();
  Statement& s = **save;
  s.bind(1, row.node).bind(2, row.device);
  if (row.journal) {
    s.bind_blob(3, bytes_of(row.journal->journal_id)).bind(4, row.generation);
    s.bind(5, static_cast<std::int64_t>(row.journal->record));
  }
  s.bind(6, to_ms(row.received_at)).bind(7, to_ms(now)).bind_blob(8, row.payload);
  if (auto done = s.run(); !done) {
    // The ledger should have known; the index is the last word.
    if (done.error().code == Errc::conflict) return std::optional<std::int64_t>{};
    return done.error();
  }
  return std::optional{database_.last_insert_id()};
}

Result<void> Store::save_sample(PointId point, std::int64_t inbox_id, std::size_t position,
                                const Reading& reading) {
  auto save = statement(
      "INSERT INTO sample (point_id, taken_ms, inbox_id, position, value, quality) VALUES (?, ?, ?, ?, ?, "
      "?)");
  if (!save) return save.error();
  Statement& s = **save;
  s.bind(1, point)
      .bind(2, to_ms(reading.taken_at))
      .bind(3, inbox_id)
      .bind(4, static_cast<std::int64_t>(position));
  bind_value(s, 5, reading.value);
  s.bind(6, quality_text(reading));
  return s.run();
}

Result<void> Store::save_ledger(NodeId node, const JournalLedger& ledger, Timestamp now) {
  auto save = statement(
      "INSERT INTO journal (node_id, journal_id, generation, cumulative, ranges, missing, changed_ms) VALUES "
      "(?, ?, ?, ?, "
      "?, ?, ?) ON CONFLICT (node_id, journal_id, generation) DO UPDATE SET cumulative = "
      "excluded.cumulative, ranges = "
      "excluded.ranges, missing = excluded.missing, changed_ms = excluded.changed_ms");
  if (!save) return save.error();
  Statement& s = **save;
  s.bind(1, node).bind_blob(2, bytes_of(ledger.journal())).bind(3, ledger.generation());
  s.bind(4, static_cast<std::int64_t>(ledger.cumulative())).bind(5, ledger.ranges_text());
  s.bind(6, static_cast<std::int64_t>(ledger.missing())).bind(7, to_ms(now));
  return s.run();
}

Result<void> Store::save_alarm(const AlarmView& alarm) {
  auto save =
      statement(fmt::format("INSERT OR REPLACE INTO alarm ({}) VALUES ({})", alarm_columns, alarm_marks));
  if (!save) return save.error();
  bind_alarm(**save, alarm);
  return (*save)->run();
}

Result<std::int64_t> Store::save_mail(const Mail& mail) {
  auto save = statement(
      "INSERT INTO mail (alarm_id, event, recipient, message_id, subject, body, state, attempts, next_ms, "
      "created_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO UPDATE SET subject = mail.subject "
      "RETURNING id");
  if (!save) return save.error();
  Statement& s = **save;
  s.bind(1, mail.alarm)
      .bind(2, mail.event)
      .bind(3, mail.recipient)
      .bind(4, mail.message_id)
      .bind(5, mail.subject);
  s.bind(6, mail.body).bind(7, mail.state).bind(8, std::int64_t{mail.attempts}).bind(9, to_ms(mail.next_at));
  s.bind(10, to_ms(mail.created_at));
  return returned_id(s);
}

Result<void> Store::update_mail(const Mail& mail) {
  auto save = statement(
      "UPDATE mail SET state = ?2, attempts = ?3, next_ms = ?4, last_error = ?5, finished_ms = CASE WHEN ?2 "
      "= 'waiting' "
      "THEN NULL ELSE ?6 END WHERE id = ?1");
  if (!save) return save.error();
  Statement& s = **save;
  s.bind(1, mail.id).bind(2, mail.state).bind(3, std::int64_t{mail.attempts}).bind(4, to_ms(mail.next_at));
  s.bind(5, mail.last_error).bind(6, to_ms(mail.next_at));
  return s.run();
}

Result<int> Store::prune_samples(Timestamp before, int most) {
  // By point, so that the primary key serves; a point keeps its newest sample whatever its age.
  auto prune = statement(
      "DELETE FROM sample WHERE (point_id, taken_ms, inbox_id, position) IN (SELECT s.point_id, s.taken_ms, "
      "s.inbox_id, "
      "s.position FROM point p JOIN sample s ON s.point_id = p.id AND s.taken_ms < ?1 WHERE s.taken_ms < "
      "(SELECT "
      "max(taken_ms) FROM sample WHERE point_id = p.id) LIMIT ?2)");
  if (!prune) return prune.error();
  (*prune)->bind(1, to_ms(before)).bind(2, std::int64_t{most});
  if (auto done = (*prune)->run(); !done) return done.error();
  return database_.changes();
}

Result<std::vector<StoredNode>> Store::load_nodes() {
  auto load = database_.prepare(
      "SELECT id, site, agent, name, software_version, journal_lost FROM node ORDER BY site, agent");
  if (!load) return load.error();
  std::vector<StoredNode> nodes;
  auto row = load->step();
  for (; row && *row; row = load->step()) {
    StoredNode node;
    node.id = load->integer(0);
    node.key = {load->text(1), load->text(2)};
    node.name = load->text(3);
    node.software_version = load->text(4);
    if (!load->is_null(5)) node.journal_lost = static_cast<std::uint64_t>(load->integer(5));
    nodes.push_back(std::move(node));
  }
  if (!row) return row.error();
  for (StoredNode& node : nodes) {
    if (auto loaded = load_devices(node); !loaded) return loaded.error();
    if (auto loaded = load_ledgers(node); !loaded) return loaded.error();
  }
  return nodes;
}

Result<void> Store::load_devices(StoredNode& node) {
  auto load = statement(
      "SELECT id, device, name, maker, model, class, max_silence_s, class_configured, poll_interval_ms FROM "
      "device WHERE node_id = ? ORDER BY device");
  if (!load) return load.error();
  Statement& s = **load;
  s.bind(1, node.id);
  auto row = s.step();
  for (; row && *row; row = s.step()) {
    StoredDevice device{s.integer(0), s.text(1), s.text(2), s.text(3), s.text(4),
                        s.text(5),    s.text(7), {},        {},        {}};
    if (!s.is_null(6)) device.max_silence = std::chrono::seconds{s.integer(6)};
    if (!s.is_null(8)) device.poll_interval = std::chrono::milliseconds{s.integer(8)};
    node.devices.push_back(std::move(device));
  }
  if (!row) return row.error();
  s.reset();
  for (StoredDevice& device : node.devices)
    if (auto loaded = load_points(device); !loaded) return loaded.error();
  return {};
}

Result<void> Store::load_points(StoredDevice& device) {
  auto load = statement("SELECT id, name, unit, states, alarms FROM point WHERE device_id = ? ORDER BY id");
  if (!load) return load.error();
  Statement& s = **load;
  s.bind(1, device.id);
  auto row = s.step();
  for (; row && *row; row = s.step())
    device.points.push_back({s.integer(0), s.text(1), s.text(2), s.text(3), s.text(4), {}, {}});
  if (!row) return row.error();
  s.reset();
  for (StoredPoint& point : device.points) {
    auto latest = load_latest(point.id, false);
    auto good = load_latest(point.id, true);
    if (!latest) return latest.error();
    if (!good) return good.error();
    point.latest = *std::move(latest);
    point.latest_good = *std::move(good);
  }
  return {};
}

Result<std::optional<Reading>> Store::load_latest(PointId point, bool only_good) {
  auto load = statement(
      only_good ? "SELECT taken_ms, value, quality FROM sample WHERE point_id = ? AND quality IN ('good', "
                  "'clock_unsure') "
                  "ORDER BY taken_ms DESC LIMIT 1"
                : "SELECT taken_ms, value, quality FROM sample WHERE point_id = ? ORDER BY taken_ms DESC "
                  "LIMIT 1");
  if (!load) return load.error();
  Statement& s = **load;
  s.bind(1, point);
  auto row = s.step();
  if (!row) return row.error();
  std::optional<Reading> reading;
  if (*row) reading = reading_from(read_value(s, 1), s.text(2), from_ms(s.integer(0)));
  s.reset();
  return reading;
}

Result<void> Store::load_ledgers(StoredNode& node) {
  auto load = statement(
      "SELECT journal_id, generation, cumulative, ranges, missing FROM journal AS j WHERE node_id = ?1 AND "
      "generation = "
      "(SELECT max(generation) FROM journal WHERE node_id = ?1 AND journal_id = j.journal_id) ORDER BY "
      "changed_ms");
  if (!load) return load.error();
  Statement& s = **load;
  s.bind(1, node.id);
  auto row = s.step();
  for (; row && *row; row = s.step()) {
    JournalId id{};
    const std::string bytes = s.blob(0);
    if (bytes.size() != id.size())
      return fail(Errc::corrupt, Retry::never, "table journal: an id of {} bytes", bytes.size());
    std::memcpy(id.data(), bytes.data(), id.size());
    auto ledger = JournalLedger::restore(id, s.integer(1), static_cast<std::uint64_t>(s.integer(2)),
                                         s.text(3), static_cast<std::uint64_t>(s.integer(4)));
    if (!ledger) return in(ledger.error(), "table journal");
    node.ledgers.push_back(*std::move(ledger));
  }
  if (!row) return row.error();
  s.reset();
  return {};
}

Result<std::vector<AlarmView>> Store::load_open_alarms() {
  auto load = database_.prepare(fmt::format("SELECT {}, {} FROM alarm WHERE state <> 'normal' ORDER BY id",
                                            alarm_columns, alarm_mail_state));
  if (!load) return load.error();
  return read_alarms(*load);
}

Result<std::int64_t> Store::highest_alarm_id() {
  auto load = database_.prepare("SELECT coalesce(max(id), 0) FROM alarm");
  if (!load) return load.error();
  if (auto row = load->step(); !row) return row.error();
  return load->integer(0);
}

Result<std::vector<Mail>> Store::load_waiting_mails() {
  auto load = database_.prepare(
      "SELECT id, alarm_id, event, recipient, message_id, subject, body, state, attempts, next_ms, "
      "created_ms, last_error "
      "FROM mail WHERE state = 'waiting' ORDER BY id");
  if (!load) return load.error();
  std::vector<Mail> mails;
  auto row = load->step();
  for (; row && *row; row = load->step())
    mails.push_back({load->integer(0), load->integer(1), load->text(2), load->text(3), load->text(4),
                     load->text(5), load->text(6), load->text(7), static_cast<int>(load->integer(8)),
                     from_ms(load->integer(9)), from_ms(load->integer(10)), load->text(11)});
  if (!row) return row.error();
  return mails;
}

Result<void> Store::save_total_readings(std::uint64_t readings) {
  auto save = statement("UPDATE total SET readings = ?");
  if (!save) return save.error();
  (*save)->bind(1, static_cast<std::int64_t>(readings));
  return (*save)->run();
}

Result<Store::Totals> Store::totals() {
  // No row ever leaves the inbox, so that its highest number is their count.
  auto load = database_.prepare(
      "SELECT (SELECT coalesce(max(id), 0) FROM inbox), (SELECT readings FROM total), "
      "(SELECT count(*) FROM mail WHERE state = 'failed')");
  if (!load) return load.error();
  if (auto row = load->step(); !row) return row.error();
  return Totals{static_cast<std::uint64_t>(load->integer(0)), static_cast<std::uint64_t>(load->integer(1)),
                static_cast<std::uint64_t>(load->integer(2))};
}

}  // namespace watchroom::aggregator
