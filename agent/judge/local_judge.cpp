// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/local_judge.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_errands = 4096, most_tellings = 1024, most_at_once = 256;
constexpr auto longest_wait = 1s;
constexpr auto longest_put_back = 3s;

bool is_same(const JudgeFigures& a, const JudgeFigures& b) {
  const auto same = [](const ReactionFigures& one, const ReactionFigures& other) {
    return one.name == other.name && one.state == other.state;
  };
  const auto same_output = [](const OutputFigures& one, const OutputFigures& other) {
    return one.name == other.name && one.state == other.state && one.order == other.order &&
           one.progress == other.progress && one.refused == other.refused;
  };
  return std::equal(a.reactions.begin(), a.reactions.end(), b.reactions.begin(), b.reactions.end(), same) &&
         std::equal(a.outputs.begin(), a.outputs.end(), b.outputs.begin(), b.outputs.end(), same_output) &&
         a.inhibit_text == b.inhibit_text;
}

Drive drive_of(OutputTarget target) {
  switch (target) {
    case OutputTarget::automatic: return Drive::keep;
    case OutputTarget::off: return Drive::off;
    case OutputTarget::on: return Drive::on;
  }
  return Drive::keep;
}

}  // namespace

LocalJudge::LocalJudge(const std::filesystem::path& data_dir, const Clock& clock, Log log, Outputs outputs)
    : clock_{clock},
      log_{std::move(log)},
      outputs_{std::move(outputs)},
      file_{data_dir / "judge.json"},
      errands_{most_errands},
      tellings_{most_tellings} {}

LocalJudge::~LocalJudge() { stop(); }

void LocalJudge::configure(const JudgeSettings& settings, const DeviceList& devices) {
  const auto renew = [&](Instant at) {
    judge_ = judge_ ? std::make_unique<Judge>(settings, devices, *judge_, at)
                    : std::make_unique<Judge>(settings, devices, at);
    interest_ = std::vector<std::atomic<bool>>(devices.size());
    for (std::size_t i = 0; i < devices.size(); ++i) interest_[i] = judge_->is_of_interest(i);
  };
  if (judging_.joinable()) {
    // The judge's thread does nothing but this when it does it.
    [[maybe_unused]] const auto renewed = asked<void>([&](Judge&, Instant at) -> Result<void> {
      renew(at);
      return {};
    });
    return;
  }
  if (settings.is_empty()) return;
  renew(now());
  judge_->link_changed(is_link_up_, now());
  const auto kept = file_.read(now());
  if (kept)
    judge_->restore(*kept, now());
  else if (kept.error().code != Errc::not_found)
    log_.error("what the local judge kept is lost, an inhibit and what was latched with it: {}",
               kept.error().text);
  is_running_ = true;
  link_changed(is_link_up_);  // it may have changed just now
  judging_ = std::thread{[this] { run(); }};
  telling_ = std::thread{[this] { tell(); }};
}

void LocalJudge::stop() {
  is_running_ = false;
  errands_.close();
  if (judging_.joinable()) judging_.join();
  tellings_.close();
  if (telling_.joinable()) telling_.join();
}

void LocalJudge::take(const PollResult& polled) {
  if (polled.device >= interest_.size() || (!polled.description && !interest_[polled.device])) return;
  // Never refused: one with a description, or the readings behind it would be taken for others.
  if (polled.description)
    errands_.put_regardless([this, polled](Judge& judge, Instant at) {
      judge.observe(polled, at);
      interest_[polled.device] = judge.is_of_interest(polled.device);
    });
  else
    errands_.put([polled](Judge& judge, Instant at) { judge.observe(polled, at); });
}

void LocalJudge::link_changed(bool is_up) {
  is_link_up_ = is_up;
  // As it is when its turn comes: the last word counts.
  if (is_running_)
    errands_.put_regardless([this](Judge& judge, Instant at) { judge.link_changed(is_link_up_, at); });
}

JudgeFigures LocalJudge::figures() const {
  const std::lock_guard lock{mutex_};
  return figures_;
}

/// An answer of the judge's own thread, which waits for nobody.
template <typename Answer>
Result<Answer> LocalJudge::asked(std::function<Result<Answer>(Judge&, Instant)> question) {
  if (!is_running_)
    return fail(Errc::not_found, Retry::never,
                "agent.toml has no [[output]]: there is nothing to judge here");
  auto promise = std::make_shared<std::promise<Result<Answer>>>();
  auto answer = promise->get_future();
  const bool is_asked =
      errands_.put_regardless([promise, question = std::move(question)](Judge& judge, Instant at) {
        promise->set_value(question(judge, at));
      });
  if (!is_asked) return fail(Errc::cancelled, Retry::never, "the agent is stopping");
  return answer.get();
}

Result<void> LocalJudge::inhibit(const std::string& owner, const std::string& reason,
                                 std::chrono::milliseconds lasting) {
  return asked<void>([=](Judge& judge, Instant at) -> Result<void> {
    judge.inhibit({owner, reason, at.steady + lasting, at.wall + lasting, lasting}, at);
    return {};
  });
}

Result<void> LocalJudge::end_inhibition(const std::string& by) {
  return asked<void>([=](Judge& judge, Instant at) -> Result<void> {
    if (judge.end_inhibition(by, at)) return {};
    return fail(Errc::not_found, Retry::never, "没有命令抑制 nobody inhibits by command");
  });
}

Result<std::string> LocalJudge::reset(const std::string& reaction, const std::string& by) {
  return asked<std::string>([=](Judge& judge, Instant at) { return judge.reset(reaction, by, at); });
}

Result<void> LocalJudge::order(std::uint64_t number, const OutputOrder& order) {
  return asked<void>([=](Judge& judge, Instant at) {
    return judge.order(order.output,
                       {.number = number,
                        .drive = drive_of(order.to),
                        .by = order.by,
                        .done_by = at.steady + order.within,
                        .until = at.steady + order.lasting},
                       at);
  });
}

void LocalJudge::let_go(const JudgeSettings& wanted) {
  const Steady until = clock_.steady() + longest_put_back;
  auto left = asked<std::vector<std::string>>([&wanted](Judge& judge, Instant at) {
    judge.let_go(wanted, at);
    return judge.still_to_put_back();
  });
  while (left && !left->empty() && clock_.steady() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    left = asked<std::vector<std::string>>([](Judge& judge, Instant) { return judge.still_to_put_back(); });
  }
  if (left && !left->empty())
    log_.error("outputs that the new settings let nobody order could not be put back: {}",
               fmt::join(*left, ", "));
}

void LocalJudge::run() {
  std::optional<Steady> due = clock_.steady();
  while (true) {
    const Steady latest = clock_.steady() + longest_wait;
    const auto errands = errands_.take(most_at_once, std::min(due.value_or(latest), latest));
    if (errands.empty() && errands_.is_closed()) break;
    for (const Errand& errand : errands) errand(*judge_, now());
    pass(now());
    due = judge_->deadline();
  }
}

/// What follows from what was taken; the writes first, for they are what it is about.
void LocalJudge::pass(Instant at) {
  judge_->tick(at);
  for (OutputWrite& write : judge_->take_writes(at)) {
    const auto done = [this, ticket = write.ticket](Result<WriteOutcome> outcome) {
      errands_.put_regardless([ticket, outcome = std::move(outcome)](Judge& judge, Instant when) {
        judge.written(ticket, outcome, when);
      });
    };
    outputs_.write({write.device, std::move(write.point), Value{write.code}, write.not_after, done});
  }
  for (JudgeNote& note : judge_->take_notes()) tellings_.put(std::move(note));
  if (auto kept = judge_->take_kept()) tellings_.put_regardless(*std::move(kept));
  JudgeFigures figures = judge_->figures();
  bool has_changed = false;
  {
    const std::lock_guard lock{mutex_};
    has_changed = !is_same(figures, figures_);
    figures_ = std::move(figures);
  }
  if (has_changed) outputs_.changed();
}

Result<void> LocalJudge::kept(std::chrono::milliseconds longest) {
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto answer = promise->get_future();
  // Behind what the judge has not handed over yet.
  const bool is_asked = errands_.put_regardless([this, promise](Judge& judge, Instant) {
    if (auto changed = judge.take_kept()) tellings_.put_regardless(*std::move(changed));
    tellings_.put_regardless(promise);
  });
  if (!is_asked) return fail(Errc::cancelled, Retry::never, "the agent is stopping");
  if (answer.wait_for(longest) != std::future_status::ready)
    return fail(Errc::io, Retry::later, "the disk does not answer");
  return answer.get();
}

void LocalJudge::tell() {
  Steady due{};
  while (true) {
    auto tellings = tellings_.take(most_at_once, clock_.steady() + longest_wait);
    if (tellings.empty() && tellings_.is_closed()) break;
    for (Telling& telling : tellings) std::visit([this](auto& one) { take(one); }, telling);
    if (clock_.steady() < due) continue;
    due = clock_.steady() + longest_wait;
    outputs_.now_and_then();
  }
}

void LocalJudge::take(JudgeNote& note) {
  switch (note.level) {
    case LogLevel::debug: log_.debug("{}", note.text); break;
    case LogLevel::info: log_.info("{}", note.text); break;
    case LogLevel::warning: log_.warning("{}", note.text); break;
    case LogLevel::error: log_.error("{}", note.text); break;
  }
  outputs_.tell(note.at, note.text);
}

void LocalJudge::take(KeptByJudge& kept) {
  last_kept_ = file_.write(kept);
  if (!last_kept_)
    log_.error("an inhibit or a latched reaction will not survive a restart: {}", last_kept_.error().text);
}

void LocalJudge::take(KeptPromise& promise) { promise->set_value(last_kept_); }

}  // namespace watchroom::agent
