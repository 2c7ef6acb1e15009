// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "aggregator/authority/authority.hpp"
#include "aggregator/authority/broker_files.hpp"
#include "aggregator/authority/own_certificates.hpp"
#include "aggregator/authority/session_cutter.hpp"

namespace watchroom::aggregator {

/// Keeps the broker's files as the authority says: at once when an agent is enrolled or revoked, weekly so
/// that the list of the revoked never runs out, and again until it works. Cuts the sessions of the revoked,
/// and renews the certificates of aggregator and broker. One thread of its own; what is passed in must
/// outlive it.
class Keeper {
 public:
  struct Plan {
    std::string host_id;
    BrokerSettings broker;
    std::filesystem::path folder;             ///< the authority's
    std::function<void()> host_renewed = {};  ///< the aggregator's broker session is to begin anew
  };
  /// Called from several threads, one at a time: at the start, then each minute and with news.
  struct News {
    std::vector<AgentIdentity> identities;  ///< who has which certificate
    std::string trouble;                    ///< with the broker's files and the sessions of the revoked
    std::optional<std::vector<EndangeredCertificate>> endangered;  ///< nothing: not looked at yet
  };
  using Tell = std::function<void(News)>;

  Keeper(Plan plan, Authority& authority, const Clock& clock, AuditTrail& trail, Log log, Tell tell);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper();

  /// Writes what is missing or old, then keeps it so. A disk that refuses is trouble, no reason not to start.
  void start();
  void stop();

  /// Once, for the offline commands: all files as they should be.
  Result<void> write_all();

 private:
  void run();
  void work();
  /// Certificates were revoked: the list first, so that nobody who is cut comes back.
  void on_revoked();
  void on_changed();
  Result<void> write_list();
  Result<void> write_rules();
  Result<void> reload();
  bool list_is_due();
  void look_at_list_of_others();
  void cut_sessions();
  void cut_programs();
  void look_at_own_certificates();
  void tell_state();
  void note(const Result<void>& result, const std::string& what);

  const Plan plan_;
  Authority& authority_;
  const Clock& clock_;
  AuditTrail& trail_;
  const Log log_;
  const Tell tell_;
  const BrokerFiles files_;
  SessionCutter cutter_;
  OwnCertificates own_;  // of the thread

  std::mutex files_mutex_;                // one writer at a time
  bool is_reload_owed_ = false;           // guarded by it
  std::optional<Steady> reloaded_at_;     // guarded by it
  std::optional<Steady> list_written_;    // guarded by it
  std::optional<std::string> list_told_;  // that we wrote or saw, the broker told; guarded by it
  std::mutex mutex_;
  std::condition_variable news_;
  bool is_stopping_ = false;                                      // guarded by mutex_
  bool is_work_wanted_ = false;                                   // guarded by mutex_
  std::map<std::string, std::string> troubles_;                   // by what they are about; guarded by mutex_
  std::optional<std::vector<EndangeredCertificate>> endangered_;  // guarded by mutex_
  std::mutex tell_mutex_;                                         // keeps what is told in order
  std::optional<Steady> told_;                                    // guarded by tell_mutex_
  std::thread thread_;
};

}  // namespace watchroom::aggregator
