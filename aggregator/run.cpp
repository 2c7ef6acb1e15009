// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/run.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/authority/enrolment.hpp"
#include "aggregator/authority/key_herald.hpp"
#include "aggregator/authority/order_signer.hpp"
#include "aggregator/authority/own_certificates.hpp"
#include "aggregator/configurations/configuration_desk.hpp"
#include "aggregator/identity/first_administrator.hpp"
#include "aggregator/identity/refusal_tally.hpp"
#include "aggregator/identity/secret.hpp"
#include "aggregator/outputs/output_desk.hpp"
#include "aggregator/program_settings.hpp"
#include "aggregator/web/web_server.hpp"
#include "proto/base/command_line.hpp"

namespace watchroom::aggregator {
namespace {

// An agent that was away for longer is sent it anew: each sending is signed then.
constexpr auto configuration_is_good_for = std::chrono::hours{24};
constexpr auto key_is_good_for = std::chrono::hours{1};

Order order_of(const KeptConfiguration& kept) {
  Order order;
  order.kind = order_kinds::configuration;
  order.site = kept.site;
  order.agent = kept.agent;
  order.number = kept.number;
  order.body = kept.text;
  return order;
}

Order order_of(const KeptOrder& kept) {
  Order order;
  order.kind = order_kinds::output;
  order.site = kept.place.site;
  order.agent = kept.place.agent;
  order.number = kept.number;
  order.body = to_body({kept.place.output, kept.wish.to, kept.by, kept.wish.within, kept.wish.lasting});
  return order;
}

/// The agent knows then how old the order is, whatever its clock says.
Order answering(const Room& room, const Clock& clock, Order order) {
  for (const AgentView& agent : room.agents(0)) {
    if (agent.site != order.site || agent.agent != order.agent || agent.challenge.empty()) continue;
    order.challenge = agent.challenge;
    order.challenge_age = clock.steady() - agent.challenge_at;
  }
  return order;
}

/// Of what the file is now, for the audit log.
std::string digest_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  return sha256_hex(std::string{std::istreambuf_iterator<char>{in}, {}});
}

AuditEvent of_ourselves(std::string action, const std::string& file, std::string detail) {
  return {.who = "system", .action = std::move(action), .object = file, .detail = std::move(detail)};
}

/// The running aggregator: built from the settings in this order, taken down in the other.
class Running {
 public:
  Running(ProgramSettings settings, std::string file, const Clock& clock, Log log)
      : file_{std::move(file)},
        clock_{clock},
        log_{std::move(log)},
        plan_{settings.aggregator.core.intake.host_id, settings.aggregator.data_dir,
              settings.aggregator.broker},
        web_settings_{std::move(settings.web)},
        audit_{plan_.data_dir / "audit.db", clock, log_, settings.audit},
        refusals_{clock},
        users_{web_settings_.users_file, log_, std::move(settings.regions), &audit_},
        aggregator_{std::move(settings.aggregator), audit_, [this] { return refusals_.lately(); }, clock,
                    log_},
        enrolment_{settings.enrolment, plan_, clock, audit_, refusals_, log_} {}

  /// What was begun before an error ends with this object.
  Result<void> start() {
    if (auto started = audit_.start(); !started) return started;
    audit_.record(
        of_ourselves("aggregator.start", file_,
                     fmt::format("version {}, settings SHA-256 {}", WATCHROOM_VERSION, digest_of(file_))));
    if (auto prepared = prepare_users(); !prepared) return prepared;
    if (auto started = aggregator_.start(); !started) return started;
    const auto tell = [this](Keeper::News news) {
      aggregator_.tell({std::move(news.identities), std::move(news.trouble), std::move(news.endangered)});
    };
    if (auto started = enrolment_.start(tell, [this] { aggregator_.reconnect(); }); !started) return started;
    signer_.emplace(enrolment_.authority(), plan_.data_dir / "authority", plan_.host_id, clock_, audit_);
    if (auto opened = open_desks(); !opened) return opened;
    web_.emplace(std::move(web_settings_),
                 Served{aggregator_.room(), enrolment_.identities(), *configurations_, *outputs_, users_,
                        audit_, refusals_},
                 clock_, log_);
    return web_->start();
  }

  void stop(int signal) {
    web_->stop();
    outputs_->stop();
    configurations_->stop();
    enrolment_.stop();
    aggregator_.stop();
    audit_.record(of_ourselves("aggregator.stop", file_, fmt::format("signal {}", signal)));
    audit_.stop();
  }

 private:
  Result<void> prepare_users() {
    const auto made = make_first_administrator(users_.file());
    if (!made)
      return in(made.error(),
                fmt::format("{}: the first administrator cannot be made", users_.file().string()));
    if (*made) {
      audit_.record(of_ourselves("user.add", fmt::format("user {}", first_administrator_name),
                                 "administrator, everything; the first start"));
      log_.warning(
          "first start: log in as {} with the password in {}; it must be changed then, and the file goes",
          first_administrator_name, first_password_file(users_.file()).string());
    }
    Problems problems;
    users_.load(problems);
    if (problems.empty()) return {};
    return fail(Errc::invalid, Retry::never, "{}", problems.str());
  }

  Result<void> open_desks() {
    auto configurations = ConfigurationBook::open(plan_.data_dir);
    if (!configurations) return configurations.error();
    auto outputs = OutputBook::open(plan_.data_dir);
    if (!outputs) return outputs.error();
    configurations_.emplace(
        *std::move(configurations), aggregator_.room(),
        [this](const KeptConfiguration& kept) { return send(order_of(kept), configuration_is_good_for); },
        clock_, log_);
    outputs_.emplace(
        *std::move(outputs), aggregator_.room(),
        [this](const KeptOrder& kept) {
          return send(answering(aggregator_.room(), clock_, order_of(kept)), kept.wish.within);
        },
        clock_, audit_, log_);
    if (enrolment_.authority())
      herald_.emplace(
          aggregator_.room(), [this] { return signer_->key_since(); },
          [this](const Order& order) { return send(order, key_is_good_for); }, clock_, log_);
    configurations_->start([this] {
      if (herald_) herald_->look();
    });
    outputs_->start();
    return {};
  }

  Result<void> send(const Order& order, std::chrono::milliseconds good_for) {
    const auto text = signer_->sign(order, good_for);
    if (!text) return text.error();
    return aggregator_.send_order(order.site, order.agent, *text);
  }

  const std::string file_;
  const Clock& clock_;
  const Log log_;
  const Enrolment::Plan plan_;
  WebSettings web_settings_;
  AuditLog audit_;
  RefusalTally refusals_;
  Users users_;
  Aggregator aggregator_;
  Enrolment enrolment_;  // after whom it tells: it ends first
  std::optional<OrderSigner> signer_;
  std::optional<KeyHerald> herald_;  // of the next one's thread
  std::optional<ConfigurationDesk> configurations_;
  std::optional<OutputDesk> outputs_;
  std::optional<WebServer> web_;
};

}  // namespace

int run_command(const std::string& file) {
  // Before any thread starts, so that all of them leave these signals to us.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  if (auto finished = finish_host_replacement(file); !finished)
    std::fprintf(stderr, "watchroom-aggregator: %s\n", finished.error().text.c_str());
  Problems problems;
  auto settings = ProgramSettings::load(file, problems);
  if (!settings) return command_line::give_up(problems, false);
  const SystemClock clock;
  const Log log = Log::to_stderr(settings->aggregator.log_level);
  for (const Problem& warning : problems.warnings()) log.warning("{}", warning.str());
  Running aggregator{*std::move(settings), file, clock, log};
  if (auto started = aggregator.start(); !started) {
    log.error("{}", started.error().text);
    return command_line::failed;
  }
  log.info("watchroom-aggregator {} runs", WATCHROOM_VERSION);
  int received = 0;
  sigwait(&signals, &received);
  log.info("stopping on signal {}", received);
  aggregator.stop(received);
  return command_line::done;
}

}  // namespace watchroom::aggregator
