// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "aggregator/audit/audit_trail.hpp"
#include "aggregator/live/room.hpp"
#include "aggregator/outputs/output_book.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// What an agent tells of one of its outputs (device self: local_output[NAME].state, .order, .progress,
/// .refused).
struct ToldOfOutput {
  std::string state = "unknown";
  std::optional<Timestamp> at;
  bool is_live = false;     ///< the agent is online and says so now
  std::uint64_t order = 0;  ///< the one that was taken last
  OutputProgress progress = OutputProgress::none;
  std::uint64_t refused = 0;  ///< the one that was refused last
  std::string event;          ///< what the agent said last, in words
};

/// What follows for an order from what is told of its output; nothing: all is as it was. Pure.
struct OrderStep {
  OrderProgress progress = OrderProgress::sent;
  std::string reason;
};
std::optional<OrderStep> step_of(const KeptOrder& order, const ToldOfOutput& told, Timestamp now);
/// Whether nothing more can become of it.
bool is_over(const KeptOrder& order, Timestamp now);

/// Signs and sends; errors say why it cannot be.
using SendOutputOrder = std::function<Result<void>(const KeptOrder&)>;

/// Gives outputs their orders and follows each to its end, over restarts. An order that cannot be written
/// down is not sent. `room`, `clock` and `audit` must outlive it.
class OutputDesk final : public Outputs {
 public:
  static constexpr std::chrono::seconds selection_lasts{60};

  OutputDesk(OutputBook book, const Room& room, SendOutputOrder send, const Clock& clock, AuditTrail& audit,
             const Log& log);
  ~OutputDesk() override;

  void start();
  void stop();
  /// One look at all outputs; what `start` does again and again.
  void look();

  Result<std::vector<OutputView>> outputs() const override;
  Result<OutputSelection> select(const OutputPlace& place, const OutputWish& wish,
                                 const std::string& by) override;
  Result<KeptOrder> order(const OutputPlace& place, const std::string& selection,
                          const std::string& by) override;
  Result<std::vector<KeptOrder>> history(const OutputPlace& place, std::size_t limit) const override;

 private:
  struct Selected {
    OutputSelection selection;
    std::string by;
    Steady ends{};
  };
  using Told = std::map<OutputPlace, ToldOfOutput>;
  Told told() const;
  OutputView view_of(const OutputPlace& place, const ToldOfOutput& told) const;
  const KeptOrder* last_of(const OutputPlace& place) const;
  KeptOrder* find(const OutputPlace& place, std::uint64_t number);
  Result<Selected> take_selection(const OutputPlace& place, const std::string& id, const std::string& by);
  void move_on(KeptOrder& order, OrderStep step);
  std::chrono::milliseconds pause() const;

  mutable std::mutex mutex_;  // of what follows
  OutputBook book_;
  std::map<OutputPlace, std::vector<KeptOrder>> orders_;  // as OutputBook::unfinished
  std::map<std::string, Selected> selections_;            // by id
  std::condition_variable changed_;
  bool is_stopping_ = false;
  const Room& room_;
  const SendOutputOrder send_;
  const Clock& clock_;
  AuditTrail& audit_;
  const Log log_;
  std::thread thread_;
};

}  // namespace watchroom::aggregator
