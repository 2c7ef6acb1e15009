// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/notify/wording.hpp"

#include <ctime>

#include "aggregator/alarms/rule.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

/// FNV-1a: tells recipients apart inside a Message-ID without printing their addresses there.
std::uint32_t mark_of(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

std::string place_of(const AlarmView& alarm) {
  if (alarm.site.empty()) return {};
  return alarm.agent.empty() ? alarm.site : alarm.site + "/" + alarm.agent;
}

std::string device_of(const AlarmView& alarm) {
  return alarm.device_name.empty() ? alarm.device : alarm.device_name;
}

std::string duration_text(std::chrono::milliseconds span, Language language) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  if (language == Language::zh)
    return seconds < 120 ? fmt::format("{} 秒", seconds) : fmt::format("{} 分钟", seconds / 60);
  return seconds < 120 ? fmt::format("{} s", seconds) : fmt::format("{} min", seconds / 60);
}

std::string mark_zh(const AlarmView& alarm, AlarmEvent event) {
  if (event == AlarmEvent::cleared) return "恢复";
  if (event == AlarmEvent::withdrawn) return "撤销";
  if (event == AlarmEvent::past) return fmt::format("{}·已恢复", chinese_name_of(alarm.severity));
  return std::string{chinese_name_of(alarm.severity)};
}

std::string mark_en(const AlarmView& alarm, AlarmEvent event) {
  if (event == AlarmEvent::cleared) return "cleared";
  if (event == AlarmEvent::withdrawn) return "withdrawn";
  if (event == AlarmEvent::past) return fmt::format("{}, over", name_of(alarm.severity));
  return std::string{name_of(alarm.severity)};
}

std::string subject_zh(const AlarmView& alarm, AlarmEvent event) {
  std::string subject = fmt::format("[{}] ", mark_zh(alarm, event));
  if (const auto device = device_of(alarm); !device.empty()) subject += device + " ";
  subject += alarm.title_zh;
  if (const auto place = place_of(alarm); !place.empty()) subject += " — " + place;
  return subject;
}

std::string subject_en(const AlarmView& alarm, AlarmEvent event) {
  std::string subject = fmt::format("[{}] ", mark_en(alarm, event));
  if (const auto device = device_of(alarm); !device.empty()) subject += device + " ";
  subject += alarm.title_en;
  if (const auto place = place_of(alarm); !place.empty()) subject += " - " + place;
  return subject;
}

Bilingual headline(AlarmEvent event) {
  switch (event) {
    case AlarmEvent::past:
      return {"通信中断期间发生、现已恢复的告警", "Came and went while the agent could not be heard"};
    case AlarmEvent::cleared: return {"告警已恢复", "Alarm cleared"};
    case AlarmEvent::withdrawn:
      return {"告警已撤销，并非已恢复", "Alarm withdrawn, which is not an all-clear"};
    default: return {"新告警", "New alarm"};
  }
}

std::string body_zh(const AlarmView& alarm, AlarmEvent event) {
  std::string body = fmt::format("{}：{}\n\n", headline(event).zh, alarm.title_zh);
  body += fmt::format("级别：{}\n", chinese_name_of(alarm.severity));
  if (const auto place = place_of(alarm); !place.empty()) body += fmt::format("位置：{}\n", place);
  if (const auto device = device_of(alarm); !device.empty())
    body += fmt::format("设备：{}（{}）\n", device, alarm.device);
  if (!alarm.point.empty()) body += fmt::format("测点：{}（{}）\n", alarm.point_label_zh, alarm.point);
  body += fmt::format("情况：{}\n", alarm.text_zh);
  if (is_profile_id(alarm.rule)) body += fmt::format("依据：设备模板（{}）\n", alarm.rule);
  body += fmt::format("发生时间：{}\n", local_time(alarm.raised_at));
  if (event != AlarmEvent::raised && alarm.cleared_at) {
    body += fmt::format("{}时间：{}（持续 {}）\n", event == AlarmEvent::withdrawn ? "撤销" : "恢复",
                        local_time(*alarm.cleared_at),
                        duration_text(*alarm.cleared_at - alarm.raised_at, Language::zh));
    if (alarm.state == AlarmLifeCycle::returned_unacknowledged) body += "此告警尚无人确认。\n";
  } else {
    body += fmt::format("\n请登录值守页面确认，或运行：watchroom ack {}\n", alarm.id);
  }
  body += fmt::format("\n告警编号 {}，第 {} 次出现\n", alarm.id, alarm.occurrence);
  return body;
}

std::string body_en(const AlarmView& alarm, AlarmEvent event) {
  std::string body = fmt::format("{}: {}\n\n", headline(event).en, alarm.title_en);
  body += fmt::format("Severity: {}\n", name_of(alarm.severity));
  if (const auto place = place_of(alarm); !place.empty()) body += fmt::format("Place: {}\n", place);
  if (const auto device = device_of(alarm); !device.empty())
    body += fmt::format("Device: {} ({})\n", device, alarm.device);
  if (!alarm.point.empty()) body += fmt::format("Point: {} ({})\n", alarm.point_label_en, alarm.point);
  body += fmt::format("What: {}\n", alarm.text_en);
  if (is_profile_id(alarm.rule)) body += fmt::format("By: the device's profile ({})\n", alarm.rule);
  body += fmt::format("Raised: {}\n", local_time(alarm.raised_at));
  if (event != AlarmEvent::raised && alarm.cleared_at) {
    body += fmt::format("{}: {} (after {})\n", event == AlarmEvent::withdrawn ? "Withdrawn" : "Cleared",
                        local_time(*alarm.cleared_at),
                        duration_text(*alarm.cleared_at - alarm.raised_at, Language::en));
    if (alarm.state == AlarmLifeCycle::returned_unacknowledged) body += "Nobody has acknowledged it yet.\n";
  } else {
    body += fmt::format("\nAcknowledge it on the duty page or with: watchroom ack {}\n", alarm.id);
  }
  body += fmt::format("\nAlarm {}, occurrence {}\n", alarm.id, alarm.occurrence);
  return body;
}

}  // namespace

std::string local_time(Timestamp at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &parts);
  return {text, size};
}

namespace {

/// A device that calls itself a line of ours, or turns the text round, must not word the mail.
AlarmView with_harmless_texts(AlarmView alarm) {
  for (std::string* text : {&alarm.rule, &alarm.title_zh, &alarm.title_en, &alarm.text_zh, &alarm.text_en,
                            &alarm.site, &alarm.agent, &alarm.device, &alarm.device_name, &alarm.point,
                            &alarm.point_label_zh, &alarm.point_label_en})
    *text = printable(*text);
  return alarm;
}

}  // namespace

Mail compose_mail(const AlarmChange& change, const std::string& recipient, Language language,
                  const std::string& host_id, Timestamp now) {
  const AlarmView alarm = with_harmless_texts(change.alarm);
  Mail mail;
  mail.alarm = alarm.id;
  mail.event = fmt::format("{}-{}", name_of(change.event), alarm.occurrence);
  mail.recipient = recipient;
  // The time keeps ids apart when a lost database begins to count anew.
  mail.message_id = fmt::format("<alarm-{}-{}-{}-{:08x}@{}>", alarm.id, mail.event, to_ms(alarm.raised_at),
                                mark_of(recipient), host_id);
  mail.subject = language == Language::zh ? subject_zh(alarm, change.event) : subject_en(alarm, change.event);
  mail.body = language == Language::zh ? body_zh(alarm, change.event) : body_en(alarm, change.event);
  mail.next_at = now;
  mail.created_at = now;
  return mail;
}

}  // namespace watchroom::aggregator
