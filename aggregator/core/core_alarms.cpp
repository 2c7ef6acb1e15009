// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// From a change of an alarm to the person: what is written down, composed and handed over.
#include <algorithm>

#include "aggregator/core/core.hpp"

namespace watchroom::aggregator {

void Core::take_changes(std::vector<AlarmChange> changes) {
  for (AlarmChange& change : changes) {
    log_.info("alarm {} {}: {} {}/{}/{}/{} {}", change.alarm.id, name_of(change.event), change.alarm.rule,
              change.alarm.site, change.alarm.agent, change.alarm.device, change.alarm.point,
              change.alarm.text_en);
    if (change.event == AlarmEvent::raised || change.event == AlarmEvent::cleared ||
        change.event == AlarmEvent::past || change.event == AlarmEvent::withdrawn)
      compose(change);
    dirty_alarms_.insert_or_assign(change.alarm.id, std::move(change.alarm));
  }
}

void Core::compose(const AlarmChange& change) {
  if (!settings_.email) return;
  for (const std::string& recipient : settings_.email->to)
    new_mails_.push_back(
        compose_mail(change, recipient, settings_.email->language, settings_.intake.host_id, clock_.now()));
  mail_state_[change.alarm.id] = "waiting";
}

void Core::handle(Acknowledge& event) {
  auto change = engine_.acknowledge(event.alarm, event.by, event.comment, now());
  if (!change) {
    event.answer->set_value(change.error());
    return;
  }
  log_.info("alarm {} acknowledged by {}", event.alarm, event.by);
  answers_.emplace_back(std::move(event.answer), change->alarm);
  dirty_alarms_.insert_or_assign(change->alarm.id, change->alarm);
}

void Core::handle(Delivered& event) {
  in_flight_.erase(event.mail);
  const auto found = outbox_.find(event.mail);
  if (found == outbox_.end()) return;
  Mail& mail = found->second;
  ++mail.attempts;
  if (event.result) {
    mail.state = "sent";
    mail.next_at = clock_.now();
  } else {
    const Error& error = event.result.error();
    if (mail.last_error != error.text)
      log_.warning("mail {} to {}: {}", mail.message_id, mail.recipient, error.text);
    mail.last_error = error.text;
    auto pause = settings_.email->retry_min;
    for (int i = 1; i < mail.attempts && pause < settings_.email->retry_max; ++i) pause *= 2;
    mail.next_at = clock_.now() + std::min(pause, settings_.email->retry_max);
    if (error.retry == Retry::never) {
      mail.state = "failed";
      ++mails_failed_;
      log_.error("mail {} to {} is given up", mail.message_id, mail.recipient);
    }
  }
  dirty_mails_.insert_or_assign(mail.id, mail);
  const std::int64_t alarm = mail.alarm;
  const bool is_failed = mail.state == "failed";
  if (mail.state != "waiting") outbox_.erase(found);
  if (is_failed) mail_state_[alarm] = "failed";
  refresh_mail_state(alarm);
}

void Core::refresh_mail_state(std::int64_t alarm) {
  std::string& state = mail_state_[alarm];
  const auto is_of_alarm = [alarm](const auto& entry) { return entry.second.alarm == alarm; };
  if (state != "failed")
    state = std::any_of(outbox_.begin(), outbox_.end(), is_of_alarm) ? "waiting" : "sent";
  if (const AlarmView* open = engine_.find(alarm)) dirty_alarms_.try_emplace(alarm, *open);
}

void Core::hand_over_due_mails() {
  for (auto& [id, mail] : outbox_) {
    if (in_flight_.contains(id) || mail.next_at > clock_.now()) continue;
    if (!outside_.hand_over(id, {mail.message_id, mail.recipient, mail.subject, mail.body, mail.created_at}))
      return;
    in_flight_.insert(id);
  }
}

}  // namespace watchroom::aggregator
