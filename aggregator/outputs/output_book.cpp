// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/outputs/output_book.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace watchroom::aggregator {
namespace {

constexpr const char* file_name = "outputs.db";
constexpr const char* schema = R"(
CREATE TABLE IF NOT EXISTS output_order (
  number INTEGER PRIMARY KEY,
  site TEXT NOT NULL,
  agent TEXT NOT NULL,
  output TEXT NOT NULL,
  target TEXT NOT NULL,            -- on, off, automatic
  lasting_s INTEGER NOT NULL,
  within_s INTEGER NOT NULL,
  comment TEXT NOT NULL,
  ordered_by TEXT NOT NULL,
  ordered_ms INTEGER NOT NULL,
  progress TEXT NOT NULL,
  progress_ms INTEGER NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS output_order_place ON output_order (site, agent, output, number);
)";
constexpr std::string_view columns =
    "SELECT site, agent, output, number, target, lasting_s, within_s, comment, ordered_by, ordered_ms, "
    "progress, progress_ms, reason FROM output_order ";

constexpr std::array progresses{
    std::pair{OrderProgress::sent, std::string_view{"sent"}},
    std::pair{OrderProgress::under_way, std::string_view{"under_way"}},
    std::pair{OrderProgress::done, std::string_view{"done"}},
    std::pair{OrderProgress::overruled, std::string_view{"overruled"}},
    std::pair{OrderProgress::refused, std::string_view{"refused"}},
    std::pair{OrderProgress::failed, std::string_view{"failed"}},
    std::pair{OrderProgress::no_answer, std::string_view{"no_answer"}},
    std::pair{OrderProgress::ended, std::string_view{"ended"}},
};

}  // namespace

std::string_view name_of(OrderProgress progress) {
  for (const auto& [one, name] : progresses)
    if (one == progress) return name;
  std::abort();
}

std::optional<OrderProgress> order_progress_named(std::string_view name) {
  for (const auto& [progress, its_name] : progresses)
    if (its_name == name) return progress;
  return std::nullopt;
}

Result<OutputBook> OutputBook::open(const std::filesystem::path& folder) {
  auto database = Database::open(folder / file_name, Durability::power_cut);
  if (!database) return database.error();
  if (auto made = database->execute(schema); !made) return in(made.error(), file_name);
  return OutputBook{*std::move(database)};
}

Result<KeptOrder> OutputBook::add(KeptOrder fresh) {
  auto last = database_.prepare("SELECT coalesce(max(number), 0) FROM output_order");
  if (!last) return last.error();
  if (auto row = last->step(); !row) return row.error();
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(1, to_ms(fresh.at)));
  fresh.number = std::max(now, static_cast<std::uint64_t>(last->integer(0)) + 1);
  auto insert = database_.prepare("INSERT INTO output_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!insert) return insert.error();
  insert->bind(1, static_cast<std::int64_t>(fresh.number))
      .bind(2, std::string_view{fresh.place.site})
      .bind(3, std::string_view{fresh.place.agent})
      .bind(4, std::string_view{fresh.place.output})
      .bind(5, name_of(fresh.wish.to))
      .bind(6, std::int64_t{fresh.wish.lasting.count()})
      .bind(7, std::int64_t{fresh.wish.within.count()})
      .bind(8, std::string_view{fresh.wish.comment})
      .bind(9, std::string_view{fresh.by})
      .bind(10, to_ms(fresh.at))
      .bind(11, name_of(fresh.progress))
      .bind(12, to_ms(fresh.progress_at))
      .bind(13, std::string_view{fresh.reason});
  if (auto done = insert->run(); !done) return in(done.error(), file_name);
  return fresh;
}

Result<void> OutputBook::update(const KeptOrder& order) {
  auto statement =
      database_.prepare("UPDATE output_order SET progress = ?, progress_ms = ?, reason = ? WHERE number = ?");
  if (!statement) return statement.error();
  statement->bind(1, name_of(order.progress))
      .bind(2, to_ms(order.progress_at))
      .bind(3, std::string_view{order.reason})
      .bind(4, static_cast<std::int64_t>(order.number));
  if (auto done = statement->run(); !done) return in(done.error(), file_name);
  return {};
}

Result<std::vector<KeptOrder>> OutputBook::unfinished() const {
  auto statement = database_.prepare(
      std::string{columns} +
      "WHERE number IN (SELECT max(number) FROM output_order GROUP BY site, agent, output) "
      "OR progress IN ('sent', 'under_way', 'overruled') OR (progress = 'done' AND target != 'automatic') "
      "ORDER BY number");
  if (!statement) return statement.error();
  return read(*std::move(statement));
}

Result<std::vector<KeptOrder>> OutputBook::history(const OutputPlace& place, std::size_t limit) const {
  auto statement = database_.prepare(
      std::string{columns} + "WHERE site = ? AND agent = ? AND output = ? ORDER BY number DESC LIMIT ?");
  if (!statement) return statement.error();
  statement->bind(1, std::string_view{place.site})
      .bind(2, std::string_view{place.agent})
      .bind(3, std::string_view{place.output})
      .bind(4, static_cast<std::int64_t>(limit));
  return read(*std::move(statement));
}

Result<std::vector<KeptOrder>> OutputBook::read(Statement statement) const {
  std::vector<KeptOrder> found;
  while (true) {
    auto row = statement.step();
    if (!row) return in(row.error(), file_name);
    if (!*row) return found;
    const auto target = output_target_named(statement.text(4));
    const auto progress = order_progress_named(statement.text(10));
    if (!target || !progress)
      return fail(Errc::corrupt, Retry::never, "{}: order {} is damaged", file_name, statement.integer(3));
    KeptOrder order;
    order.place = {statement.text(0), statement.text(1), statement.text(2)};
    order.number = static_cast<std::uint64_t>(statement.integer(3));
    order.wish = {*target, std::chrono::seconds{statement.integer(5)},
                  std::chrono::seconds{statement.integer(6)}, statement.text(7)};
    order.by = statement.text(8);
    order.at = from_ms(statement.integer(9));
    order.progress = *progress;
    order.progress_at = from_ms(statement.integer(11));
    order.reason = statement.text(12);
    found.push_back(std::move(order));
  }
}

}  // namespace watchroom::aggregator
