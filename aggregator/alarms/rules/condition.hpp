// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/live/refusals.hpp"
#include "proto/base/settings.hpp"
#include "proto/model/reading.hpp"
#include "proto/model/unit.hpp"
#include "proto/rules/point_condition.hpp"

namespace watchroom::aggregator {

/// Contact with an agent, or with the broker. Unknown is not offline: nobody can tell.
enum class Contact { online, offline, unknown };

/// One sentence in both languages.
struct Bilingual {
  std::string zh;
  std::string en;
};

/// The newest facts about what a rule watches. Filled by intake; of an agent or the broker only `contact`
/// counts.
struct Situation {
  Contact contact = Contact::online;
  bool device_answers = true;           ///< communication.state of the point's device is ok
  bool is_communication_point = false;  ///< the point is communication.state itself
  Quality quality = Quality::good;
  std::optional<double> value = {};
  std::optional<Timestamp> taken_at = {};  ///< when the agent read it, by the agent's clock
  Unit unit = Unit::none;
  std::string state_zh = {};
  std::string state_en = {};
  std::string reason_zh = {};  ///< why the value is not good, or contact is lost
  std::string reason_en = {};
  // Of the centre itself. Nothing: not known yet.
  std::optional<bool> is_mail_failing = {};
  Bilingual mail_trouble = {};
  std::optional<bool> is_audit_failing = {};
  Bilingual audit_trouble = {};
  std::optional<std::string> broker_files_trouble = {};  ///< empty: none
  bool are_own_certificates_known = false;
  std::optional<double> own_certificate_days = {};  ///< left of one that nobody renews; absent: there is none
  Bilingual own_certificate = {}, own_certificate_trouble = {};  ///< which, and why
  std::optional<Refusals> refusals = {};
  // Of an agent.
  bool are_certificates_known = false;          ///< as far as this centre gave them
  std::optional<double> certificate_days = {};  ///< until its certificate runs out; absent: it has none
  std::optional<bool> is_clock_unsure = {};     ///< it does not trust its clock
  std::optional<bool> is_journal_losing = {};   ///< records were dropped lately
  bool was_journal_restored = false;            ///< lately: its numbers went back
  std::optional<bool> is_cloned = {};           ///< two agents use its name
  std::uint64_t records_lost = 0;
};

/// What the conditions that both ends share judge (proto/rules): a value that cannot be believed is none.
inline PointFacts facts_of(const Situation& now) {
  const bool is_known = now.quality == Quality::good && now.contact == Contact::online;
  return {is_known ? now.value : std::nullopt, now.state_zh, now.state_en};
}

/// `broker` is the centre itself and what it depends on.
enum class Subject { point, agent, broker };

/// The inside of a rule: pure, no clock, no memory; shared by all subjects the rule matches.
class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;
  virtual ~Condition() = default;

  virtual Verdict judge(const Situation& now) const = 0;
  /// What is wrong, with figures, for people: "31.2 °C，高于 28 °C".
  virtual Bilingual explain(const Situation& now) const = 0;
  virtual std::optional<double> limit() const { return std::nullopt; }
};

/// On which side of harmless a rule raises. Two rules of one direction may speak of the same trouble.
enum class Direction { none, high, low, state };

/// A kind of rule: one file rules/<kind>.cpp that defines one of these, named as the file. CMake writes the
/// table.
struct RuleKind {
  std::string_view name;
  Subject subject;
  bool has_unit;        ///< the rule must state the unit of its point
  bool judges_history;  ///< readings that come late count, too: what came and went unheard is told as past
  /// Reads the kind's own keys of a [[rule]]; what is wrong goes to the table's problems.
  std::unique_ptr<const Condition> (*read)(const SettingsTable& rule);
  Direction direction = Direction::none;
};

/// All kinds, by name (generated).
std::span<const RuleKind* const> rule_kinds();

/// What a device's profile may ask for, as the kinds high_limit, low_limit and state.
std::unique_ptr<const Condition> above(double limit, double clear_below);
std::unique_ptr<const Condition> below(double limit, double clear_above);
std::unique_ptr<const Condition> in_codes(std::vector<std::int64_t> codes);

/// "31.2 °C"; whole numbers stay whole.
std::string with_unit(double value, Unit unit);

}  // namespace watchroom::aggregator
