// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>

#include "aggregator/store/rows.hpp"
#include "aggregator/store/store.hpp"

namespace watchroom::aggregator {

Result<StoreReader> StoreReader::open(const std::filesystem::path& folder) {
  auto database = Database::open(folder / "watchroom.db", Durability::read_only);
  if (!database) return database.error();
  return StoreReader{*std::move(database)};
}

Result<std::vector<AlarmView>> StoreReader::alarm_history(
    std::size_t limit, const std::function<bool(const AlarmView&)>& wanted) {
  auto load = database_.prepare(
      fmt::format("SELECT {}, {} FROM alarm ORDER BY id DESC", alarm_columns, alarm_mail_state));
  if (!load) return load.error();
  return read_alarms(*load, wanted, limit);
}

Result<std::vector<SampleView>> StoreReader::samples(PointId point, Timestamp since, std::size_t limit) {
  auto load = database_.prepare(
      "SELECT s.taken_ms, s.value, s.quality, coalesce(i.record, 0) FROM sample s LEFT JOIN inbox i ON i.id "
      "= s.inbox_id "
      "WHERE s.point_id = ? AND s.taken_ms >= ? ORDER BY s.taken_ms DESC, s.inbox_id DESC, s.position DESC "
      "LIMIT ?");
  if (!load) return load.error();
  load->bind(1, point).bind(2, to_ms(since)).bind(3, static_cast<std::int64_t>(limit));
  std::vector<SampleView> samples;
  auto row = load->step();
  for (; row && *row; row = load->step()) {
    const Reading read = reading_from(read_value(*load, 1), load->text(2), from_ms(load->integer(0)));
    samples.push_back({read.taken_at, read.value, read.quality, static_cast<std::uint64_t>(load->integer(3)),
                       read.is_clock_unsure});
  }
  if (!row) return row.error();
  std::reverse(samples.begin(), samples.end());
  return samples;
}

}  // namespace watchroom::aggregator
