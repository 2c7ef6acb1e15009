// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/link/link.hpp"

namespace watchroom::agent {

using namespace std::chrono_literals;

Link::Link(BrokerSettings broker, std::string client_id, CertificateClock time, Log log)
    : session_{std::move(broker), std::move(client_id), *this, std::move(time), std::move(log)} {}

Link::~Link() { stop(0ms); }

Result<void> Link::start(AgentMailbox& mailbox, std::function<void(bool)> changed) {
  mailbox_ = &mailbox;
  changed_ = std::move(changed);
  return session_.start();
}

void Link::stop(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  will_came_.notify_all();
  session_.stop(patience);
}

void Link::reconnect() { session_.reconnect(); }

void Link::provide_will(SessionNumber session, MqttMessage will) {
  {
    const std::lock_guard lock{mutex_};
    will_ = {session, std::move(will)};
  }
  will_came_.notify_all();
}

MqttMessage Link::will(SessionNumber session) {
  constexpr auto ask_again = 5s;
  std::unique_lock lock{mutex_};
  const auto is_there = [&] { return is_stopping_ || (will_ && will_->first == session); };
  // No CONNECT without the will that belongs to it: its bdSeq must be on disk first.
  while (!is_there()) {
    lock.unlock();
    mailbox_->put(WillWanted{session});
    lock.lock();
    will_came_.wait_for(lock, ask_again, is_there);
  }
  return will_ ? will_->second : MqttMessage{};
}

void Link::on_connected(SessionNumber session) {
  if (changed_) changed_(true);
  mailbox_->put(Connected{session});
}

void Link::on_disconnected(SessionNumber session, bool, const std::string& reason) {
  if (changed_) changed_(false);
  mailbox_->put(Disconnected{session, reason});
}

void Link::on_message(SessionNumber session, std::string_view topic, std::string_view payload) {
  mailbox_->put(Arrived{session, std::string{topic}, std::string{payload}});
}

Result<void> Link::subscribe(SessionNumber session, const std::vector<std::string>& topics) {
  return session_.subscribe(session, topics, Qos::at_least_once);
}

Result<void> Link::publish(SessionNumber session, const MqttMessage& message) {
  return session_.publish(session, message);
}

}  // namespace watchroom::agent
