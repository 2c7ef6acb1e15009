// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/keeper.hpp"

#include <fstream>

#include "proto/base/replace_file.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto look_interval = 10s;
// It acts on SIGHUP when its loop comes round. If it read a key that does not fit its certificate just then,
// it would keep nobody's rules until the next one, and drop what all publish.
constexpr auto broker_reads_for = 3s;
constexpr auto list_renewed_after = 24h * 7;
constexpr auto list_life = 24h * 730;

}  // namespace

Keeper::Keeper(Plan plan, Authority& authority, const Clock& clock, AuditTrail& trail, Log log, Tell tell)
    : plan_{std::move(plan)},
      authority_{authority},
      clock_{clock},
      trail_{trail},
      log_{std::move(log)},
      tell_{std::move(tell)},
      files_{authority.settings().broker_folder, authority.settings().broker_pid_file},
      cutter_{authority, plan_.broker, plan_.folder, log_},
      own_{{plan_.host_id, plan_.broker, plan_.host_renewed,
            [this]() -> Result<void> {
              const std::lock_guard turn{files_mutex_};
              is_reload_owed_ = true;
              return reload();
            },
            [this] {
              const std::lock_guard turn{files_mutex_};
              return reloaded_at_ && clock_.steady() - *reloaded_at_ < broker_reads_for;
            }},
           authority,
           clock,
           trail,
           log_} {
  authority_.when_changed([this] { on_changed(); });
  authority_.when_revoked([this] { on_revoked(); });
}

Keeper::~Keeper() { stop(); }

void Keeper::start() {
  work();
  thread_ = std::thread{[this] { run(); }};
}

void Keeper::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  news_.notify_all();
  thread_.join();
}

void Keeper::run() {
  while (true) {
    cut_sessions();
    cut_programs();
    look_at_own_certificates();
    {
      std::unique_lock lock{mutex_};
      news_.wait_for(lock, look_interval, [this] { return is_stopping_ || is_work_wanted_; });
      if (is_stopping_) return;
      is_work_wanted_ = false;
    }
    work();
  }
}

void Keeper::work() {
  if (auto seen = authority_.audit_unseen(); !seen) log_.error("{}", seen.error().text);
  look_at_list_of_others();
  Result<void> result;
  if (list_is_due()) result = write_list();
  // Those whose sessions are still to be cut keep their rules until then: their will is to be published.
  const auto uncut = authority_.uncut();
  if (result && uncut && uncut->empty()) result = write_rules();
  note(result, "the broker's files");
  // What failed when it was news is mended by now.
  if (result) note(result, "the list of revoked certificates");
  if (result && uncut && uncut->empty()) note(result, "the broker's rules");
  tell_state();
}

/// The offline commands write it as well, and may not be able to tell the broker.
void Keeper::look_at_list_of_others() {
  const std::lock_guard turn{files_mutex_};
  auto present = files_.revocation_list();
  if (present && present != list_told_) {
    list_told_ = std::move(present);
    is_reload_owed_ = true;
  }
  (void)reload();
}

Result<void> Keeper::write_all() {
  if (auto written = files_.write_authority(authority_.ca_pem()); !written) return written.error();
  if (list_is_due())
    if (auto written = write_list(); !written) return written;
  return write_rules();
}

void Keeper::on_changed() { note(write_rules(), "the broker's rules"); }

void Keeper::on_revoked() {
  note(write_list(), "the list of revoked certificates");
  {
    const std::lock_guard lock{mutex_};
    is_work_wanted_ = true;
  }
  news_.notify_all();
}

bool Keeper::list_is_due() {
  const std::lock_guard turn{files_mutex_};
  if (authority_.is_list_owed()) return true;
  const auto present = files_.revocation_list();
  const auto end = present ? authority_.issuer().end_of_revocation_list(*present) : std::nullopt;
  if (!end) return true;
  const auto left = *end - clock_.now();
  if (left < list_life - list_renewed_after) return true;
  // One that ends later than any we make comes from a clock that was wrong: then, or is wrong now.
  return left > list_life + 24h && (!list_written_ || clock_.steady() - *list_written_ > 1h);
}

Result<void> Keeper::write_list() {
  const std::lock_guard turn{files_mutex_};
  if (auto written = files_.write_authority(authority_.ca_pem()); !written) return written.error();
  // Two programs must not put an older list in the place of a newer one.
  const auto writers = FolderLock::take(plan_.folder);
  if (!writers) return writers.error();
  const auto list = authority_.make_list();
  if (!list) return list.error();
  const auto written = files_.write_revocation_list(list->pem);
  if (!written) return written.error();
  if (auto noted = authority_.note_listed(*list); !noted) return noted;
  list_written_ = clock_.steady();
  list_told_ = list->pem;
  is_reload_owed_ = true;
  (void)reload();  // has its own trouble, and is tried again
  trail_.record({"system", "", "revocation_list.write", "", Outcome::done, ""});
  return {};
}

Result<void> Keeper::write_rules() {
  const std::lock_guard turn{files_mutex_};
  std::string more;
  if (const auto& file = authority_.settings().more_acl_file) {
    std::ifstream in{*file};
    if (!in) return fail(Errc::io, Retry::later, "{} cannot be read", file->string());
    more.assign(std::istreambuf_iterator<char>{in}, {});
  }
  const auto admitted = authority_.admitted();
  if (!admitted) return admitted.error();
  const auto written = files_.write_rules(access_rules(plan_.host_id, *admitted, more));
  if (!written) return written.error();
  is_reload_owed_ = is_reload_owed_ || *written;
  (void)reload();
  return {};
}

Result<void> Keeper::reload() {
  if (!is_reload_owed_) return {};
  auto told = files_.reload();
  if (told) is_reload_owed_ = false;
  reloaded_at_ = clock_.steady();
  note(told, "the broker");
  return told;
}

void Keeper::cut_sessions() {
  const auto uncut = authority_.uncut();
  if (!uncut) return log_.error("{}", uncut.error().text);
  for (const auto& [site, agent] : *uncut) {
    const std::string place = site + "/" + agent;
    const auto done = cutter_.cut(site, agent);
    note(done, "the broker session of " + place);
    if (done) {
      if (auto noted = authority_.note_cut(site, agent); !noted) log_.error("{}", noted.error().text);
      trail_.record({"system", "", "agent.cut", place, Outcome::done, "its broker session is over"});
      log_.info("{} was revoked; it has no broker session any more", place);
      continue;
    }
    // The broker may have missed our signal, or was just starting.
    if (done.error().code == Errc::refused) note(write_list(), "the list of revoked certificates");
  }
  if (!uncut->empty()) note(write_rules(), "the broker's rules");
}

/// Copies of the centre's own need none of it: its session has the same name, and comes back.
void Keeper::cut_programs() {
  const auto uncut = authority_.uncut_programs();
  if (!uncut) return log_.error("{}", uncut.error().text);
  for (const std::string& name : *uncut) {
    if (name == plan_.host_id) continue;
    const auto done = cutter_.cut_program(name);
    note(done, "the broker session of " + name);
    if (!done) {
      if (done.error().code == Errc::refused) note(write_list(), "the list of revoked certificates");
      continue;
    }
    if (auto noted = authority_.note_program_cut(name); !noted) log_.error("{}", noted.error().text);
    trail_.record({"system", "", "client.cut", name, Outcome::done, "its broker session is over"});
    log_.info("{} was revoked; it has no broker session any more", name);
  }
}

void Keeper::look_at_own_certificates() {
  auto endangered = own_.look();
  if (endangered.empty() && !own_.has_seen_broker()) return;
  bool is_news = false;
  {
    const std::lock_guard lock{mutex_};
    is_news = !endangered_ || endangered_->size() != endangered.size();
    endangered_ = std::move(endangered);
  }
  if (!is_news) return;
  {
    const std::lock_guard turn{tell_mutex_};
    told_.reset();
  }
  tell_state();
}

void Keeper::note(const Result<void>& result, const std::string& what) {
  {
    const std::lock_guard lock{mutex_};
    const auto known = troubles_.find(what);
    if (result) {
      if (known == troubles_.end()) return;
      troubles_.erase(known);
      log_.info("{}: well again", what);
    } else {
      if (known != troubles_.end() && known->second == result.error().text) return;
      troubles_[what] = result.error().text;
      log_.error("{}: {}", what, result.error().text);
    }
  }
  if (!result)
    trail_.record({"system", "", "broker_files.write", what, Outcome::failed, result.error().text});
  {
    const std::lock_guard turn{tell_mutex_};
    told_.reset();
  }
  tell_state();
}

void Keeper::tell_state() {
  const std::lock_guard turn{tell_mutex_};
  if (!tell_ || (told_ && clock_.steady() - *told_ < 1min)) return;
  auto identities = authority_.identities();
  if (!identities) return log_.error("{}", identities.error().text);
  News news;
  news.identities = *std::move(identities);
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [about, text] : troubles_)
      news.trouble += fmt::format("{}{}: {}", news.trouble.empty() ? "" : "; ", about, text);
    news.endangered = endangered_;
  }
  tell_(std::move(news));
  told_ = clock_.steady();
}

}  // namespace watchroom::aggregator
