// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/store/rows.hpp"
#include "aggregator/store/store.hpp"

namespace watchroom::aggregator {
namespace {

void bind_key(Statement& s, const LateWatch& late) {
  s.bind(1, late.rule).bind(2, late.site).bind(3, late.agent).bind(4, late.device).bind(5, late.point);
}

}  // namespace

Result<void> Store::save_late_watch(const LateWatch& late) {
  if (late.state.phase == Phase::normal) {
    auto remove = statement(
        "DELETE FROM late_watch WHERE rule = ? AND site = ? AND agent = ? AND device = ? AND point = ?");
    if (!remove) return remove.error();
    bind_key(**remove, late);
    return (*remove)->run();
  }
  auto save = statement(
      "INSERT OR REPLACE INTO late_watch (rule, site, agent, device, point, phase, since_ms, seen_until_ms, "
      "raised_ms, value, state_zh, state_en, unit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!save) return save.error();
  Statement& s = **save;
  bind_key(s, late);
  s.bind(6, name_of(late.state.phase)).bind(7, to_ms(late.state.since)).bind(8, to_ms(late.seen_until));
  s.bind(9, to_ms(late.raised_at)).bind(10, late.when_raised.value).bind(11, late.when_raised.state_zh);
  s.bind(12, late.when_raised.state_en).bind(13, name_of(late.when_raised.unit));
  return s.run();
}

Result<std::vector<LateWatch>> Store::load_late_watches() {
  auto load = database_.prepare(
      "SELECT rule, site, agent, device, point, phase, since_ms, seen_until_ms, raised_ms, value, state_zh, "
      "state_en, unit FROM late_watch");
  if (!load) return load.error();
  Statement& s = *load;
  std::vector<LateWatch> all;
  auto row = s.step();
  for (; row && *row; row = s.step()) {
    LateWatch late{s.text(0), s.text(1), s.text(2), s.text(3), s.text(4), {}, {}, {}, {}};
    late.state = {phase_named(s.text(5)).value_or(Phase::pending), from_ms(s.integer(6))};
    late.seen_until = from_ms(s.integer(7));
    late.raised_at = from_ms(s.integer(8));
    if (!s.is_null(9)) late.when_raised.value = s.number(9);
    late.when_raised.state_zh = s.text(10);
    late.when_raised.state_en = s.text(11);
    late.when_raised.unit = unit_named(s.text(12)).value_or(Unit::none);
    all.push_back(std::move(late));
  }
  if (!row) return row.error();
  return all;
}

}  // namespace watchroom::aggregator
