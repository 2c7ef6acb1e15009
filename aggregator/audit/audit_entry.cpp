// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/audit/audit_entry.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "aggregator/identity/secret.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view format_tag = "watchroom-audit-1";
constexpr std::size_t most_field = 200, most_detail = 2'000;  // bytes

struct OutcomeName {
  Outcome outcome;
  std::string_view name;
};
constexpr std::array outcomes{OutcomeName{Outcome::done, "done"}, OutcomeName{Outcome::refused, "refused"},
                              OutcomeName{Outcome::failed, "failed"}};

void append_field(std::string& bytes, std::string_view field) {
  const auto length = static_cast<std::uint32_t>(field.size());
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>((length >> shift) & 0xffu);
  bytes += field;
}

std::string canonical_bytes(const AuditEntry& entry) {
  std::string bytes;
  append_field(bytes, format_tag);
  append_field(bytes, std::to_string(entry.number));
  append_field(bytes, std::to_string(to_ms(entry.at)));
  append_field(bytes, entry.event.who);
  append_field(bytes, entry.event.from);
  append_field(bytes, entry.event.action);
  append_field(bytes, entry.event.object);
  append_field(bytes, name_of(entry.event.outcome));
  append_field(bytes, entry.event.detail);
  append_field(bytes, entry.previous);
  append_field(bytes, "end");
  return bytes;
}

/// Whole characters only; what is not UTF-8 becomes U+FFFD, so that JSON gives back exactly what was hashed.
std::string fitted(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    const bool is_good = take_character(text).has_value();
    const std::string_view piece = is_good ? before.substr(0, before.size() - text.size()) : "\xef\xbf\xbd";
    if (out.size() + piece.size() > most) return out;
    out += piece;
  }
  return out;
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Written by the log itself, wherever they are needed.
bool is_note_of_the_log(const AuditEvent& event) {
  return event.action == "clock.went_back" || event.action == "audit.lost" ||
         event.action == "audit.tampered";
}

bool is_drop_note(const AuditEvent& event, const AuditEntry& last) {
  const AuditEvent note = drop_note(last);
  return event.who == note.who && event.action == note.action && event.object == note.object &&
         event.outcome == note.outcome && event.detail == note.detail;
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  for (const OutcomeName& row : outcomes)
    if (row.outcome == outcome) return row.name;
  std::abort();
}

std::optional<Outcome> outcome_named(std::string_view name) {
  for (const OutcomeName& row : outcomes)
    if (row.name == name) return row.outcome;
  return std::nullopt;
}

std::string hash_before_all() { return std::string(64, '0'); }
std::string hash_of(const AuditEntry& entry) { return sha256_hex(canonical_bytes(entry)); }

AuditEvent drop_note(const AuditEntry& last) {
  return {.who = "system",
          .from = "",
          .action = "audit.drop",
          .object = fmt::format("entries to {}", last.number),
          .detail = last.hash};
}

AuditEvent fit_for_log(AuditEvent event) {
  for (std::string* field : {&event.who, &event.from, &event.action, &event.object})
    *field = fitted(*field, most_field);
  event.detail = fitted(event.detail, most_detail);
  return event;
}

std::string to_json_line(const AuditEntry& entry) {
  const Json json{{"number", entry.number},
                  {"at", to_rfc3339(entry.at)},
                  {"who", entry.event.who},
                  {"from", entry.event.from},
                  {"action", entry.event.action},
                  {"object", entry.event.object},
                  {"outcome", name_of(entry.event.outcome)},
                  {"detail", entry.event.detail},
                  {"previous", entry.previous},
                  {"hash", entry.hash}};
  return without_controls_in_json(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<AuditEntry> entry_from_json(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return fail(Errc::corrupt, Retry::never, "it is not a JSON object");
  AuditEntry entry;
  std::string at, outcome;
  const std::array<std::pair<const char*, std::string*>, 9> texts{{{"at", &at},
                                                                   {"who", &entry.event.who},
                                                                   {"from", &entry.event.from},
                                                                   {"action", &entry.event.action},
                                                                   {"object", &entry.event.object},
                                                                   {"outcome", &outcome},
                                                                   {"detail", &entry.event.detail},
                                                                   {"previous", &entry.previous},
                                                                   {"hash", &entry.hash}}};
  for (const auto& [key, text] : texts) {
    if (!json.contains(key) || !json[key].is_string())
      return fail(Errc::corrupt, Retry::never, "its key \"{}\" is missing or no text", key);
    *text = json[key].get<std::string>();
  }
  if (!json.contains("number") || !json["number"].is_number_integer())
    return fail(Errc::corrupt, Retry::never, "its key \"number\" is missing or no whole number");
  if (json.size() != texts.size() + 1)
    return fail(Errc::corrupt, Retry::never, "it has keys that an entry has not");
  entry.number = json["number"].get<std::int64_t>();
  const auto time = from_rfc3339(at);
  if (!time) return fail(Errc::corrupt, Retry::never, "its time is not as 2026-11-21T03:05:07.120Z");
  entry.at = *time;
  const auto named = outcome_named(outcome);
  if (!named) return fail(Errc::corrupt, Retry::never, "its outcome is not done, refused or failed");
  entry.event.outcome = *named;
  if (!is_hash(entry.previous) || !is_hash(entry.hash))
    return fail(Errc::corrupt, Retry::never, "its hashes are not 64 lower-case hex digits each");
  return entry;
}

std::string describe_en(const ChainFinding& finding) {
  using Kind = ChainFinding::Kind;
  switch (finding.kind) {
    case Kind::altered: return fmt::format("entry {} was altered: it does not give its hash", finding.number);
    case Kind::not_linked:
      return fmt::format("entry {} does not follow the one before it: one of the two was replaced",
                         finding.number);
    case Kind::missing:
      return finding.number == finding.last
                 ? fmt::format("entry {} is missing", finding.number)
                 : fmt::format("entries {} to {} are missing", finding.number, finding.last);
    case Kind::out_of_order: return fmt::format("entry {} stands in the wrong place", finding.number);
    case Kind::while_stopped:
      return fmt::format("entry {} was written while the aggregator was stopped", finding.number);
    case Kind::told_itself: return fmt::format("entry {}: {}", finding.number, finding.text);
    case Kind::unreadable: return fmt::format("after entry {}: {}", finding.number, finding.text);
    case Kind::head_not_found: return "no entry has the expected hash: the log was cut or written anew";
    case Kind::begins_later:
      return fmt::format("note: entries 1 to {} were dropped because of their age, as entry {} says",
                         finding.last, finding.number);
    case Kind::clock_went_back: return fmt::format("note: at entry {} the clock went back", finding.number);
    case Kind::entries_were_lost: return fmt::format("note: entry {}: {}", finding.number, finding.text);
  }
  std::abort();
}

std::string describe_zh(const ChainFinding& finding) {
  using Kind = ChainFinding::Kind;
  switch (finding.kind) {
    case Kind::altered: return fmt::format("第 {} 条被改动：内容与其哈希不符", finding.number);
    case Kind::not_linked: return fmt::format("第 {} 条与前一条不衔接：两者之一被替换", finding.number);
    case Kind::missing:
      return finding.number == finding.last ? fmt::format("缺少第 {} 条", finding.number)
                                            : fmt::format("缺少第 {} 至 {} 条", finding.number, finding.last);
    case Kind::out_of_order: return fmt::format("第 {} 条的位置不对", finding.number);
    case Kind::while_stopped: return fmt::format("第 {} 条写于监控中心停止期间", finding.number);
    case Kind::told_itself: return fmt::format("第 {} 条：{}", finding.number, finding.text);
    case Kind::unreadable:
      return fmt::format("第 {} 条之后有无法识别的一行：{}", finding.number, finding.text);
    case Kind::head_not_found: return "没有一条的哈希与给定的相同：日志被截断或重写";
    case Kind::begins_later:
      return fmt::format("提示：第 1 至 {} 条因超过保存期限已清除，见第 {} 条", finding.last, finding.number);
    case Kind::clock_went_back: return fmt::format("提示：在第 {} 条处时钟倒退", finding.number);
    case Kind::entries_were_lost: return fmt::format("提示：第 {} 条：{}", finding.number, finding.text);
  }
  std::abort();
}

void ChainCheck::expect(std::string head) { expected_ = std::move(head); }

void ChainCheck::take(const AuditEntry& entry) {
  using Kind = ChainFinding::Kind;
  if (entries_++ == 0) {
    first_ = entry.number;
    if (begins_ == Begins::at_one && first_ > 1) {
      dropped_.emplace();
      dropped_->number = first_ - 1;
      dropped_->hash = entry.previous;
    }
  }
  if (hash_of(entry) != entry.hash) find({Kind::altered, entry.number});
  check_place(entry);
  if (last_ && entry.at < last_->at) find({Kind::clock_went_back, entry.number});
  if (dropped_ && is_drop_note(entry.event, *dropped_)) {
    find({Kind::begins_later, entry.number, dropped_->number});
    dropped_.reset();
  }
  if (entry.event.action == "audit.lost")
    find({Kind::entries_were_lost, entry.number, 0, entry.event.detail});
  if (entry.event.action == "audit.tampered") find({Kind::told_itself, entry.number, 0, entry.event.detail});
  if (last_ && last_->event.action == "aggregator.stop" && entry.event.action != "aggregator.start" &&
      !is_note_of_the_log(entry.event))
    find({Kind::while_stopped, entry.number});
  // The recomputed hash, not the one that stands there: a head must vouch for what is before it.
  is_expected_found_ = is_expected_found_ || (expected_ && hash_of(entry) == *expected_);
  last_ = entry;
}

void ChainCheck::check_place(const AuditEntry& entry) {
  using Kind = ChainFinding::Kind;
  const std::int64_t wanted = last_ ? last_->number + 1 : std::max<std::int64_t>(entry.number, 1);
  if (entry.number > wanted) {
    find({Kind::missing, wanted, entry.number - 1});
  } else if (entry.number < wanted) {
    find({Kind::out_of_order, entry.number});
  } else {
    const std::string before = last_ ? last_->hash : entry.number == 1 ? hash_before_all() : entry.previous;
    if (entry.previous != before) find({Kind::not_linked, entry.number});
  }
}

void ChainCheck::take_unreadable(std::string text) {
  find({ChainFinding::Kind::unreadable, last_ ? last_->number : 0, 0, std::move(text)});
}

void ChainCheck::finish() {
  if (dropped_) find({ChainFinding::Kind::missing, 1, dropped_->number});
  if (expected_ && !is_expected_found_) find({ChainFinding::Kind::head_not_found});
}

bool ChainCheck::is_intact() const { return wrong_ == 0; }

void ChainCheck::find(ChainFinding finding) {
  ++(finding.is_wrong() ? wrong_ : notes_);
  if (findings_.size() < most_findings) findings_.push_back(std::move(finding));
}

}  // namespace watchroom::aggregator
