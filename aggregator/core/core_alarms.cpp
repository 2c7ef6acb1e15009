// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// From a change of an alarm to the person: what is written down, composed and handed over.
#include <algorithm>

#include "aggregator/core/core.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr int troubled_after = 3;  // tries, before a recipient counts as out of reach
constexpr int least_attempts = 5;  // and this long, before a mail is given up
constexpr auto least_effort = 1h;

}  // namespace

void Core::take_changes(std::vector<AlarmChange> changes) {
  for (AlarmChange& change : changes) {
    log_.info("alarm {} {}: {} {}/{}/{}/{} {}", change.alarm.id, name_of(change.event), change.alarm.rule,
              change.alarm.site, change.alarm.agent, change.alarm.device, change.alarm.point,
              change.alarm.text_en);
    if (change.event == AlarmEvent::raised || change.event == AlarmEvent::cleared ||
        change.event == AlarmEvent::past || change.event == AlarmEvent::withdrawn)
      compose(change);
    note_step(change.event, change.alarm);
    dirty_alarms_.insert_or_assign(change.alarm.id, std::move(change.alarm));
  }
}

/// What the audit log is to hold of an alarm, once the disk has it.
void Core::note_step(AlarmEvent event, const AlarmView& alarm) {
  std::string place = alarm.site;
  for (const std::string* part : {&alarm.agent, &alarm.device, &alarm.point})
    if (!part->empty()) place += "/" + *part;
  const bool is_answer = event == AlarmEvent::acknowledged;
  steps_.push_back({.who = is_answer ? alarm.acknowledged_by : "system",
                    .from = "",
                    .action = fmt::format("alarm.{}", name_of(event)),
                    .object = fmt::format("alarm {}", alarm.id),
                    .detail = fmt::format("{} {} {}: {}", name_of(alarm.severity), alarm.rule, place,
                                          is_answer ? alarm.comment : alarm.text_en)});
}

/// When the disk refuses for long, what people were told is worth more than the order of two files.
void Core::record_steps() {
  for (AuditEvent& step : steps_) outside_.record(std::move(step));
  steps_.clear();
}

void Core::compose(const AlarmChange& change) {
  if (!settings_.email) return;
  for (const std::string& recipient : settings_.email->to)
    post(compose_mail(change, recipient, settings_.email->language, settings_.intake.host_id, clock_.now()));
  mail_state_[change.alarm.id] = "waiting";
}

void Core::post(Mail mail) {
  const bool is_dirty = mail.id == 0;
  outbox_.emplace(++last_ticket_, Posted{std::move(mail), clock_.steady(), clock_.steady(), false, is_dirty});
}

void Core::handle(Acknowledge& event) {
  auto change = engine_.acknowledge(event.alarm, event.by, event.comment, now());
  if (!change) {
    event.answer->set_value(change.error());
    return;
  }
  log_.info("alarm {} acknowledged by {}", event.alarm, event.by);
  note_step(AlarmEvent::acknowledged, change->alarm);
  answers_.emplace_back(std::move(event.answer), change->alarm);
  dirty_alarms_.insert_or_assign(change->alarm.id, change->alarm);
}

void Core::handle(Delivered& event) {
  const auto found = outbox_.find(event.mail);
  if (found == outbox_.end()) return;
  Posted& posted = found->second;
  Mail& mail = posted.mail;
  posted.is_under_way = false;
  posted.is_dirty = true;
  ++mail.attempts;
  mail.next_at = clock_.now();
  if (event.result) {
    mail.state = "sent";
    mails_are_known_ = true;
    undelivered_.erase(mail.recipient);
  } else {
    delivery_failed(posted, event.result.error());
  }
  if (mail.state == "failed") mail_state_[mail.alarm] = "failed";
  refresh_mail_state(mail.alarm);
  observe_centre();
}

void Core::delivery_failed(Posted& posted, const Error& error) {
  Mail& mail = posted.mail;
  if (mail.last_error != error.text)
    log_.warning("mail {} to {}: {}", mail.message_id, mail.recipient, error.text);
  mail.last_error = error.text;
  auto pause = settings_.email->retry_min;
  for (int i = 1; i < mail.attempts && pause < settings_.email->retry_max; ++i) pause *= 2;
  pause = std::min(pause, settings_.email->retry_max);
  posted.due = clock_.steady() + pause;
  mail.next_at = clock_.now() + pause;
  if (mail.attempts >= troubled_after) undelivered_[mail.recipient] = error.text;
  // Even a final refusal may be a mistake that somebody is about to mend.
  if (error.retry != Retry::never || mail.attempts < least_attempts ||
      clock_.steady() - posted.posted < least_effort)
    return;
  mail.state = "failed";
  ++mails_failed_;
  log_.error("mail {} to {} is given up", mail.message_id, mail.recipient);
}

void Core::refresh_mail_state(std::int64_t alarm) {
  std::string& state = mail_state_[alarm];
  const auto is_waiting = [alarm](const auto& entry) {
    return entry.second.mail.alarm == alarm && entry.second.mail.state == "waiting";
  };
  if (state != "failed") state = std::any_of(outbox_.begin(), outbox_.end(), is_waiting) ? "waiting" : "sent";
  if (const AlarmView* open = engine_.find(alarm)) dirty_alarms_.try_emplace(alarm, *open);
}

/// After each batch, whether the disk took it or not: the room is watched even so.
void Core::hand_over_due_mails() {
  for (auto& [ticket, posted] : outbox_) {
    const Mail& mail = posted.mail;
    if (posted.is_under_way || mail.state != "waiting" || posted.due > clock_.steady()) continue;
    if (!outside_.hand_over(ticket,
                            {mail.message_id, mail.recipient, mail.subject, mail.body, mail.created_at}))
      return;
    posted.is_under_way = true;
  }
}

bool Core::write_mails() {
  for (auto& [ticket, posted] : outbox_) {
    Mail& mail = posted.mail;
    if (!posted.is_dirty) continue;
    if (mail.id == 0) {
      const auto id = stored(store_.save_mail(mail));
      if (!id) return false;
      mail.id = *id;
      new_ids_.push_back(&mail.id);
    }
    if (mail.attempts > 0 && !stored(store_.update_mail(mail))) return false;
  }
  return true;
}

void Core::forget_final_mails() {
  for (auto& [ticket, posted] : outbox_) posted.is_dirty = false;
  std::erase_if(outbox_, [](const auto& entry) { return entry.second.mail.state != "waiting"; });
}

}  // namespace watchroom::aggregator
