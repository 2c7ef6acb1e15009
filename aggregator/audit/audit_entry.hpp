// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/audit/audit_trail.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// One entry of the audit log, chained to the one before. Who has an export can check it without us: `hash`
/// is SHA-256, in lower-case hex, over these eleven fields, each as its length in 4 bytes, high byte first,
/// and then its bytes: the text "watchroom-audit-1"; `number` in decimal; the time in ms since 1970 UTC in
/// decimal; who; from; action; object; outcome ("done", "refused", "failed"); detail; `previous` as 64 hex
/// digits; the text "end". Texts are UTF-8, as they stand in the export after JSON's escapes are undone.
struct AuditEntry {
  std::int64_t number = 0;  ///< from 1, without gaps
  Timestamp at{};           ///< by the centre's clock
  AuditEvent event;
  std::string previous;  ///< hash of the entry before; of the first: 64 zeros
  std::string hash;
};

std::string_view name_of(Outcome outcome);
std::optional<Outcome> outcome_named(std::string_view name);

/// What the first entry names as the hash before it.
std::string hash_before_all();
std::string hash_of(const AuditEntry& entry);
/// Says in the log itself that the entries up to `last` are dropped because of their age: its object names
/// the last number, its detail that one's hash. A log that begins later than at 1 is whole only if such an
/// entry is in it.
AuditEvent drop_note(const AuditEntry& last);
/// Valid UTF-8 and no longer than the log keeps: 200 bytes a field, 2 000 of detail.
AuditEvent fit_for_log(AuditEvent event);

/// One line of an export, without line end: JSON with the keys number, at, who, from, action, object,
/// outcome, detail, previous, hash.
std::string to_json_line(const AuditEntry& entry);
/// Errc::corrupt says what is wrong with the line.
Result<AuditEntry> entry_from_json(std::string_view line);

/// What is wrong with a log, and where.
struct ChainFinding {
  enum class Kind {
    altered,          ///< its content does not give its hash
    not_linked,       ///< it does not name the hash of the entry before: one of the two was replaced
    missing,          ///< entries from `number` to `last` are not there
    out_of_order,     ///< its number is not greater than the one before
    while_stopped,    ///< written between a stop and a start of the aggregator
    told_itself,      ///< the aggregator found, while it ran, that somebody else had changed the log
    unreadable,       ///< a line that is no entry
    head_not_found,   ///< the head that was noted is not in the log: it was cut or written anew
    begins_later,     ///< no proof of anything: entries up to `last` were dropped, and entry `number` says so
    clock_went_back,  ///< no proof of anything: its time is before that of the entry before
    entries_were_lost  ///< no proof of anything: the log says itself that it could not keep some
  };
  Kind kind = Kind::altered;
  std::int64_t number = 0;
  std::int64_t last = 0;  ///< for `missing`
  std::string text = {};  ///< for `unreadable`, `told_itself` and `entries_were_lost`

  bool is_wrong() const {
    return kind != Kind::clock_went_back && kind != Kind::entries_were_lost && kind != Kind::begins_later;
  }
};
/// For people: "entry 17 was altered: …".
std::string describe_en(const ChainFinding& finding);
std::string describe_zh(const ChainFinding& finding);

/// Goes through entries in the order in which they stand and notes what is wrong. No I/O.
class ChainCheck {
 public:
  /// A part of a log may begin anywhere; a whole one begins at 1, or where a `drop_note` of its own says.
  enum class Begins { at_one, anywhere };
  explicit ChainCheck(Begins begins) : begins_{begins} {}

  /// A hash that must be among the entries: a head that was noted before.
  void expect(std::string head);
  void take(const AuditEntry& entry);
  void take_unreadable(std::string text);
  void finish();

  bool is_intact() const;
  /// At most `most_findings`, then only counted.
  const std::vector<ChainFinding>& findings() const { return findings_; }
  std::uint64_t count_of_findings() const { return wrong_ + notes_; }
  std::uint64_t entries() const { return entries_; }
  std::int64_t first() const { return first_; }
  /// The last entry taken; its hash is what to note.
  const std::optional<AuditEntry>& head() const { return last_; }

  static constexpr std::size_t most_findings = 1000;

 private:
  void find(ChainFinding finding);
  void check_place(const AuditEntry& entry);

  const Begins begins_;
  std::optional<AuditEntry> dropped_;  // the last one before the first, as far as the log must explain it
  std::optional<std::string> expected_;
  bool is_expected_found_ = false;
  std::optional<AuditEntry> last_;
  std::int64_t first_ = 0;
  std::uint64_t entries_ = 0, wrong_ = 0, notes_ = 0;
  std::vector<ChainFinding> findings_;
};

}  // namespace watchroom::aggregator
