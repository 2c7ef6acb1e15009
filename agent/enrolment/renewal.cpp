// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/renewal.hpp"

#include <algorithm>
#include <fstream>

#include "agent/enrolment/device_key.hpp"
#include "proto/link/enrolment_token.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// The files may be replaced by hand, and the clock may jump.
constexpr std::chrono::milliseconds longest_sleep = 30s;
constexpr std::chrono::milliseconds shortest_sleep = 500ms;

double random_share() {
  std::random_device device;
  return std::uniform_real_distribution<double>{0.0, 1.0}(device);
}

}  // namespace

Timestamp renewal_due(Timestamp since, Timestamp until, double share) {
  const auto life = std::max(until - since, std::chrono::milliseconds{0});
  const auto later =
      std::chrono::milliseconds{static_cast<std::int64_t>(static_cast<double>(life.count()) * share)};
  return since + life * 2 / 3 + later / 20;
}

std::chrono::milliseconds renewal_pause(std::chrono::milliseconds life, int failures) {
  const auto first = std::clamp<std::chrono::milliseconds>(life / 100, 1s, 1min);
  const auto longest = std::clamp<std::chrono::milliseconds>(life / 50, 2s, 6h);
  auto pause = first;
  for (int i = 1; i < failures && pause < longest; ++i) pause *= 2;
  return std::min(pause, longest);
}

std::chrono::milliseconds RenewalTimer::wait(Timestamp since, Timestamp until, double share,
                                             CertificateTime time, Steady steady) {
  const auto by_clock = std::max<std::chrono::milliseconds>(renewal_due(since, until, share) - time.now, 0ms);
  if (time.is_sure) {
    unsure_since_.reset();
    return by_clock;
  }
  if (!unsure_since_) unsure_since_ = steady;
  const std::chrono::milliseconds life = until - since;
  // A centre that is there has told the time by then.
  Steady blind = *unsure_since_ + std::clamp<std::chrono::milliseconds>(life / 20, 3s, 2min);
  if (renewed_) blind = std::max(blind, *renewed_ + life * 2 / 3);
  return std::clamp<std::chrono::milliseconds>(blind - steady, 0ms, by_clock);
}

Renewal::Renewal(EstAddress centre, IdentityFiles files, const AgentClock& clock, Log log,
                 std::function<void()> renewed)
    : centre_{std::move(centre), [&clock] { return clock.certificate_time(); }},
      files_{std::move(files)},
      clock_{clock},
      log_{std::move(log)},
      renewed_{std::move(renewed)},
      share_{random_share()} {}

Renewal::~Renewal() { stop(); }

void Renewal::start() {
  thread_ = std::thread{[this] { run(); }};
}

void Renewal::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void Renewal::run() {
  while (true) {
    const auto pause = look();
    std::unique_lock lock{mutex_};
    if (stopped_.wait_for(lock, pause, [this] { return is_stopping_; })) return;
  }
}

std::chrono::milliseconds Renewal::look() {
  auto present = load_key_pair(files_.pair());
  // A full disk may have come between key and certificate.
  if (!present && finish_replacement(files_.pair())) present = load_key_pair(files_.pair());
  if (!present) return longest_sleep;  // the self device tells of files that are not fit
  const auto life = present->until - present->since;
  const auto sleep = [](std::chrono::milliseconds wanted) {
    return std::clamp(wanted, shortest_sleep, longest_sleep);
  };
  const auto wait =
      timer_.wait(present->since, present->until, share_, clock_.certificate_time(), clock_.steady());
  if (wait > 0ms) return sleep(wait);
  if (clock_.steady() < not_before_) return sleep(not_before_ - clock_.steady());
  if (auto done = renew(*present); !done) {
    const auto pause = renewal_pause(life, ++failures_);
    not_before_ = clock_.steady() + pause;
    if (told_ != done.error().text)
      log_.warning("the certificate is good until {} and cannot be renewed: {}", to_rfc3339(present->until),
                   done.error().text);
    told_ = done.error().text;
    return sleep(pause);
  }
  failures_ = 0;
  told_.clear();
  timer_.renewed(clock_.steady());
  // Of a centre whose own clock is wrong the new one may be due at once.
  not_before_ = clock_.steady() + renewal_pause(life, 1);
  const auto now = load_key_pair(files_.pair());
  log_.info("the certificate was renewed, it is good until {}", now ? to_rfc3339(now->until) : "?");
  renewed_();
  return shortest_sleep;
}

Result<void> Renewal::renew(const KeyPair& present) {
  std::ifstream in{files_.ca};
  const std::string ca_pem{std::istreambuf_iterator<char>{in}, {}};
  const auto key = make_device_key(agent_common_name(files_.site, files_.agent));
  if (!key) return key.error();
  const auto certificate = centre_.renew(ca_pem, present.certificate_pem, present.key_pem, key->request_der);
  if (!certificate) return certificate.error();
  return replace_key_pair(files_.pair(), *certificate, key->key_pem);
}

}  // namespace watchroom::agent
