// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/audit_commands.hpp"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>

#include "aggregator/audit/audit_entry.hpp"
#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/table.hpp"

namespace watchroom::cli {
namespace {

using aggregator::AuditEntry;
using aggregator::ChainCheck;
using aggregator::ChainFinding;
using aggregator::Outcome;

std::string local_time(Timestamp at) {
  const std::time_t seconds = to_ms(at) / 1000;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char out[32];
  return {out, std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string query_of(const AuditSpan& span) {
  std::string query;
  if (!span.since.empty()) query += "&since=" + percent_encoded(span.since);
  if (!span.until.empty()) query += "&until=" + percent_encoded(span.until);
  return query;
}

/// Every entry of the span in pages, in order. What an entry cannot be read as goes to `take` as an error.
Result<void> for_each(const Client& client, const AuditSpan& span,
                      const std::function<Result<void>(const Json& json)>& take) {
  constexpr std::size_t page = 2'000;
  std::int64_t after = 0;
  while (true) {
    const auto reply =
        client.get(fmt::format("/api/v1/audit?limit={}&after={}{}", page, after, query_of(span)));
    if (!reply) return reply.error();
    const Json entries = reply->json.value("entries", Json::array());
    std::int64_t last = after;
    for (const Json& entry : entries) {
      if (auto taken = take(entry); !taken) return taken;
      if (entry.contains("number") && entry["number"].is_number_integer())
        last = std::max(last, entry["number"].get<std::int64_t>());
    }
    // A server that sends the same page for ever is not asked for ever.
    if (entries.size() < page || last == after) return {};
    after = last;
  }
}

int report(const Console& console, ChainCheck& check) {
  check.finish();
  const auto& head = check.head();
  if (console.is_json) {
    Json findings = Json::array();
    for (const ChainFinding& finding : check.findings())
      findings.push_back(
          {{"number", finding.number}, {"is_wrong", finding.is_wrong()}, {"text", describe_en(finding)}});
    print_json(Json{{"is_intact", check.is_intact()},
                    {"entries", check.entries()},
                    {"first", check.first()},
                    {"head", head ? Json{{"number", head->number}, {"hash", head->hash}} : Json(nullptr)},
                    {"findings", std::move(findings)}});
    return check.is_intact() && check.entries() > 0 ? exit_ok : exit_refused;
  }
  // Nothing is not proof of anything: somebody may have emptied the file.
  if (check.entries() == 0) print(std::string{console.say("没有条目。", "There are no entries.")} + "\n");
  for (const ChainFinding& finding : check.findings())
    print(printable(console.say(describe_zh(finding), describe_en(finding))) + "\n");
  if (check.count_of_findings() > check.findings().size())
    print(fmt::format("… {} {}\n", check.count_of_findings() - check.findings().size(),
                      console.say("条未列出", "more")));
  const std::string verdict = check.is_intact()
                                  ? console.coloured(console.say("完好", "intact"), Colour::green)
                                  : console.coloured(console.say("已被改动", "NOT INTACT"), Colour::red);
  print(fmt::format("{}: {}\n", console.say("审计日志", "audit log"), verdict));
  if (head)
    print(fmt::format("{} {}–{} ({})\n{}: {} {}\n", console.say("条目", "entries"), check.first(),
                      head->number, check.entries(), console.say("末条哈希，请记下", "head, to be noted"),
                      head->number, printable(head->hash)));
  return check.is_intact() && check.entries() > 0 ? exit_ok : exit_refused;
}

Cell outcome_of(const Console& console, Outcome outcome) {
  switch (outcome) {
    case Outcome::done: return {console.say("完成", "done")};
    case Outcome::refused: return {console.say("拒绝", "refused"), Colour::yellow};
    case Outcome::failed: return {console.say("失败", "failed"), Colour::red};
  }
  return {""};
}

}  // namespace

int list_audit(const Client& client, const Console& console, const AuditSpan& span, std::int64_t limit) {
  const auto reply = client.get(fmt::format("/api/v1/audit?limit={}{}", limit, query_of(span)));
  if (!reply) return give_up(console, reply.error());
  if (console.is_json) {
    print(reply->body + "\n");
    return exit_ok;
  }
  Table table{{console.say("编号", "no."), console.say("时间", "time"), console.say("谁", "who"),
               console.say("来自", "from"), console.say("操作", "action"), console.say("对象", "object"),
               console.say("结果", "outcome"), console.say("说明", "detail")}};
  for (const Json& json : reply->json.value("entries", Json::array())) {
    const auto entry = aggregator::entry_from_json(json.dump());
    if (!entry) return give_up(console, entry.error());
    table.add({std::to_string(entry->number), local_time(entry->at), entry->event.who, entry->event.from,
               entry->event.action, entry->event.object, outcome_of(console, entry->event.outcome),
               entry->event.detail});
  }
  print(table.empty() ? std::string{console.say("没有条目。", "There are no entries.")} + "\n"
                      : table.str(console));
  const Json head = reply->json.value("head", Json{});
  if (head.is_object() && head.contains("number") && head.contains("hash") && head["hash"].is_string())
    print(printable(fmt::format("\n{}: {} {}", console.say("末条哈希", "head"), head["number"].dump(),
                                head["hash"].get<std::string>())) +
          "\n");
  return exit_ok;
}

int export_audit(const Client& client, const Console& console, const AuditSpan& span,
                 const std::string& file) {
  std::FILE* out = stdout;
  if (!file.empty()) {
    // "x": never over an export that is there already.
    out = std::fopen(file.c_str(), "wx");
    if (!out)
      return give_up(console,
                     fail(Errc::io, Retry::never, "{}: {}", file,
                          console.say("文件已存在或无法创建", "it exists already or cannot be made")));
    std::filesystem::permissions(file, std::filesystem::perms{0600});
  }
  std::uint64_t count = 0;
  auto done = for_each(client, span, [&](const Json& json) -> Result<void> {
    const auto entry = aggregator::entry_from_json(json.dump());
    if (!entry) return in(entry.error(), console.say("服务器的条目无法识别", "an entry of the server's"));
    const std::string line = to_json_line(*entry) + "\n";
    ++count;
    if (std::fwrite(line.data(), 1, line.size(), out) == line.size()) return {};
    return fail(Errc::io, Retry::later, "{}", console.say("无法写入", "it cannot be written"));
  });
  const bool is_whole = std::fflush(out) == 0;
  if (out != stdout) std::fclose(out);
  if (done && !is_whole)
    done = fail(Errc::io, Retry::later, "{}", console.say("无法写入", "it cannot be written"));
  if (!done) return give_up(console, done.error());
  complain(fmt::format("{} {}", count, console.say("条审计记录已导出", "entries exported")));
  return exit_ok;
}

int verify_audit(const Client& client, const Console& console, const std::string& expected) {
  ChainCheck check{ChainCheck::Begins::at_one};
  if (!expected.empty()) check.expect(expected);
  const auto done = for_each(client, {}, [&](const Json& json) -> Result<void> {
    const auto entry = aggregator::entry_from_json(json.dump());
    entry ? check.take(*entry) : check.take_unreadable(entry.error().text);
    return {};
  });
  if (!done) return give_up(console, done.error());
  return report(console, check);
}

int verify_audit_file(const Console& console, const std::string& file, const std::string& expected) {
  std::ifstream in{file};
  if (!in)
    return give_up(console, fail(Errc::not_found, Retry::never, "{}: {}", file,
                                 console.say("文件无法读取", "the file cannot be read")));
  ChainCheck check{ChainCheck::Begins::anywhere};
  if (!expected.empty()) check.expect(expected);
  std::string line;
  for (std::uint64_t number = 1; std::getline(in, line); ++number) {
    const auto entry = aggregator::entry_from_json(line);
    entry ? check.take(*entry)
          : check.take_unreadable(
                fmt::format("{} {}: {}", console.say("行", "line"), number, entry.error().text));
  }
  return report(console, check);
}

}  // namespace watchroom::cli
