// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "agent/clock/agent_clock.hpp"
#include "agent/enrolment/est_client.hpp"
#include "agent/enrolment/identity_files.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

/// When a certificate is to be renewed: at two thirds of its life and up to a twentieth later, so that agents
/// that were enrolled on one day do not all come on one day. `share` is from 0 to 1.
Timestamp renewal_due(Timestamp since, Timestamp until, double share);
/// How long to wait after so many failures: longer each time, and short beside the life that is at stake.
std::chrono::milliseconds renewal_pause(std::chrono::milliseconds life, int failures);

/// How long it is until a certificate is to be renewed; none: now. By a time that is not sure it may have run
/// out unseen, and who has it be shut out from whoever knows the time. So it is renewed, too, once nobody has
/// vouched for the clock for a while; and then not before two thirds of a life by steady time. Pure.
class RenewalTimer {
 public:
  std::chrono::milliseconds wait(Timestamp since, Timestamp until, double share, CertificateTime time,
                                 Steady steady);
  void renewed(Steady steady) { renewed_ = steady; }

 private:
  std::optional<Steady> unsure_since_, renewed_;
};

/// Renews the agent's certificate while it runs, with a new key each time, on a thread of its own. Also one
/// that has run out: the centre decides whether it is too late. `renewed` is called on that thread after the
/// files have changed. `clock` must outlive it.
class Renewal {
 public:
  Renewal(EstAddress centre, IdentityFiles files, const AgentClock& clock, Log log,
          std::function<void()> renewed);
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;
  ~Renewal();

  void start();
  void stop();

  /// One look, and a renewal if it is due. When to look again.
  std::chrono::milliseconds look();

 private:
  void run();
  Result<void> renew(const KeyPair& present);

  const EstClient centre_;
  const IdentityFiles files_;
  const AgentClock& clock_;
  const Log log_;
  const std::function<void()> renewed_;
  const double share_;
  RenewalTimer timer_;   // of the thread
  int failures_ = 0;     // of the thread
  Steady not_before_{};  // of the thread: the pause after an attempt
  std::string told_;     // of the thread
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace watchroom::agent
