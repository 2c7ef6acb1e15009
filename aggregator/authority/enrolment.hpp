// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <memory>

#include "aggregator/authority/est_listener.hpp"
#include "aggregator/authority/keeper.hpp"

namespace watchroom::aggregator {

/// All of `[enrolment]`: authority, enrolment server and the broker's files; nothing of it without the table.
/// `clock`, `trail` and `refusals` must outlive it.
class Enrolment {
 public:
  struct Plan {
    std::string host_id;
    std::filesystem::path data_dir;
    BrokerSettings broker;
  };

  Enrolment(std::optional<EnrolmentSettings> settings, Plan plan, const Clock& clock, AuditTrail& trail,
            RefusalTally& refusals, Log log)
      : settings_{std::move(settings)},
        plan_{std::move(plan)},
        clock_{clock},
        trail_{trail},
        refusals_{refusals},
        log_{log.tagged("enrolment")} {}

  /// Both as of the Keeper; never called without the table.
  Result<void> start(Keeper::Tell tell, std::function<void()> host_renewed) {
    if (!settings_) return {};
    const auto folder = plan_.data_dir / "authority";
    auto opened = Authority::open(folder, plan_.host_id, *settings_, clock_, trail_, log_);
    if (!opened) return opened.error();
    authority_ = *std::move(opened);
    keeper_ =
        std::make_unique<Keeper>(Keeper::Plan{plan_.host_id, plan_.broker, folder, std::move(host_renewed)},
                                 *authority_, clock_, trail_, log_, std::move(tell));
    keeper_->start();
    listener_ = std::make_unique<EstListener>(*authority_, refusals_, clock_, log_);
    return listener_->start();
  }

  void stop() {
    if (listener_) listener_->stop();
    if (keeper_) keeper_->stop();
  }

  /// Null without the table, and before `start`.
  Authority* authority() { return authority_.get(); }
  AgentIdentities& identities() {
    if (authority_) return *authority_;
    return none_;
  }

 private:
  const std::optional<EnrolmentSettings> settings_;
  const Plan plan_;
  const Clock& clock_;
  AuditTrail& trail_;
  RefusalTally& refusals_;
  const Log log_;
  NoAgentIdentities none_;
  std::unique_ptr<Authority> authority_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<EstListener> listener_;
};

}  // namespace watchroom::aggregator
