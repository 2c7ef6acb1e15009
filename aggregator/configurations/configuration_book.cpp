// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/configurations/configuration_book.hpp"

namespace watchroom::aggregator {
namespace {

constexpr const char* schema = R"(
CREATE TABLE IF NOT EXISTS configuration (
  number INTEGER PRIMARY KEY,      -- of the order
  site TEXT NOT NULL,
  agent TEXT NOT NULL,
  text TEXT NOT NULL,
  given_by TEXT NOT NULL,
  comment TEXT NOT NULL,
  given_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS configuration_agent ON configuration (site, agent, number);
)";

}  // namespace

Result<ConfigurationBook> ConfigurationBook::open(const std::filesystem::path& folder) {
  auto database = Database::open(folder / "configurations.db", Durability::power_cut);
  if (!database) return database.error();
  if (auto made = database->execute(schema); !made) return in(made.error(), "configurations.db");
  return ConfigurationBook{*std::move(database)};
}

Result<KeptConfiguration> ConfigurationBook::add(KeptConfiguration fresh) {
  auto last = database_.prepare("SELECT coalesce(max(number), 0) FROM configuration");
  if (!last) return last.error();
  if (auto row = last->step(); !row) return row.error();
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(1, to_ms(fresh.at)));
  fresh.number = std::max(now, static_cast<std::uint64_t>(last->integer(0)) + 1);
  auto insert = database_.prepare("INSERT INTO configuration VALUES (?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return insert.error();
  insert->bind(1, static_cast<std::int64_t>(fresh.number)).bind(2, std::string_view{fresh.site});
  insert->bind(3, std::string_view{fresh.agent}).bind(4, std::string_view{fresh.text});
  insert->bind(5, std::string_view{fresh.by})
      .bind(6, std::string_view{fresh.comment})
      .bind(7, to_ms(fresh.at));
  if (auto done = insert->run(); !done) return in(done.error(), "configurations.db");
  return fresh;
}

Result<std::optional<KeptConfiguration>> ConfigurationBook::latest(const std::string& site,
                                                                   const std::string& agent) const {
  auto found = history(site, agent, 1);
  if (!found) return found.error();
  if (found->empty()) return std::optional<KeptConfiguration>{};
  return std::optional{std::move(found->front())};
}

Result<std::vector<KeptConfiguration>> ConfigurationBook::history(const std::string& site,
                                                                  const std::string& agent,
                                                                  std::size_t limit) const {
  auto statement = database_.prepare(
      "SELECT site, agent, number, text, given_by, comment, given_ms FROM configuration WHERE site = ? AND "
      "agent = ? "
      "ORDER BY number DESC LIMIT ?");
  if (!statement) return statement.error();
  statement->bind(1, std::string_view{site})
      .bind(2, std::string_view{agent})
      .bind(3, static_cast<std::int64_t>(limit));
  return read(*std::move(statement));
}

Result<std::vector<KeptConfiguration>> ConfigurationBook::all_latest() const {
  auto statement = database_.prepare(
      "SELECT site, agent, number, '', given_by, comment, given_ms FROM configuration WHERE number IN "
      "(SELECT max(number) FROM configuration GROUP BY site, agent) ORDER BY number");
  if (!statement) return statement.error();
  return read(*std::move(statement));
}

Result<std::vector<KeptConfiguration>> ConfigurationBook::read(Statement statement) const {
  std::vector<KeptConfiguration> found;
  while (true) {
    auto row = statement.step();
    if (!row) return in(row.error(), "configurations.db");
    if (!*row) return found;
    found.push_back({statement.text(0), statement.text(1), static_cast<std::uint64_t>(statement.integer(2)),
                     statement.text(3), statement.text(4), statement.text(5), from_ms(statement.integer(6))});
  }
}

}  // namespace watchroom::aggregator
