// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/session_cutter.hpp"

#include <condition_variable>

#include "proto/base/replace_file.hpp"
#include "proto/link/enrolment_token.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_connect = 10s;
// Longer than a client waits before it comes again.
constexpr auto stay = 3s;

/// Notes when the broker lets it in and when it is out.
class Visit final : public MqttEvents {
 public:
  MqttMessage will(SessionNumber) override { return {}; }
  void on_connected(SessionNumber) override { note(connected_, ""); }
  void on_disconnected(SessionNumber, bool was_connected, const std::string& reason) override {
    note(was_connected ? ended_ : failed_, reason);
  }
  void on_message(SessionNumber, std::string_view, std::string_view) override {}

  bool connects_within(std::chrono::milliseconds time) { return waits_for(connected_, time); }
  bool ends_within(std::chrono::milliseconds time) { return waits_for(ended_, time); }
  std::string reason() {
    const std::lock_guard lock{mutex_};
    return reason_;
  }

 private:
  void note(bool& what, const std::string& reason) {
    const std::lock_guard lock{mutex_};
    what = true;
    if (!reason.empty()) reason_ = reason;
    news_.notify_all();
  }
  bool waits_for(const bool& what, std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    return news_.wait_for(lock, time, [&] { return what; });
  }

  std::mutex mutex_;
  std::condition_variable news_;
  bool connected_ = false, ended_ = false, failed_ = false;  // guarded by it
  std::string reason_;                                       // guarded by it
};

/// The certificate's files, gone with this object.
class BriefIdentity {
 public:
  explicit BriefIdentity(const std::filesystem::path& folder)
      : certificate{folder / "visit.pem"}, key{folder / "visit.key"} {}
  BriefIdentity(const BriefIdentity&) = delete;
  BriefIdentity& operator=(const BriefIdentity&) = delete;
  ~BriefIdentity() {
    std::error_code ignored;
    std::filesystem::remove(certificate, ignored);
    std::filesystem::remove(key, ignored);
  }
  const std::filesystem::path certificate, key;
};

}  // namespace

SessionCutter::SessionCutter(Authority& authority, BrokerSettings broker, std::filesystem::path folder,
                             Log log)
    : authority_{authority}, broker_{std::move(broker)}, folder_{std::move(folder)}, log_{std::move(log)} {}

Result<void> SessionCutter::cut(const std::string& site, const std::string& agent) {
  // Where the listener does not make the common name the client id, this is the id that an agent gives.
  return cut(agent_common_name(site, agent), fmt::format("watchroom-{}-{}", site, agent), site + "/" + agent);
}

Result<void> SessionCutter::cut_program(const std::string& common_name) {
  return cut(common_name, common_name, common_name);
}

Result<void> SessionCutter::cut(const std::string& common_name, const std::string& client_id,
                                const std::string& who) {
  const SystemClock clock;
  CertificatePlan plan;
  plan.common_name = common_name;
  plan.not_before = clock.now() - 5min;
  plan.not_after = clock.now() + 5min;
  const auto made = authority_.issuer().issue(plan);
  if (!made) return made.error();
  const BriefIdentity identity{folder_};
  if (auto written = replace_file(identity.key, made->key_pem); !written) return written.error();
  if (auto written = replace_file(identity.certificate, made->certificate_pem); !written)
    return written.error();
  BrokerSettings broker = broker_;
  broker.certificate_file = identity.certificate;
  broker.key_file = identity.key;
  Visit visit;
  MqttSession session{broker, client_id, visit, system_certificate_time, Log::quiet()};
  if (auto started = session.start(); !started) return started.error();
  if (!visit.connects_within(longest_connect)) {
    session.stop(0ms);
    return fail(Errc::not_connected, Retry::later, "the broker session of {} cannot be cut: {}", who,
                visit.reason());
  }
  const bool came_back = visit.ends_within(stay);
  session.stop(1s);
  if (came_back)
    return fail(Errc::refused, Retry::now, "{} still gets into the broker: {}", who, visit.reason());
  return {};
}

}  // namespace watchroom::aggregator
