// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"
#include "proto/trust/output_order.hpp"

namespace watchroom::aggregator {

struct OutputPlace {
  std::string site, agent, output;

  auto operator<=>(const OutputPlace&) const = default;
};

/// What a person wants of an output.
struct OutputWish {
  OutputTarget to = OutputTarget::automatic;
  std::chrono::seconds lasting{600};  ///< of no meaning for automatic
  std::chrono::seconds within{10};    ///< done and read back by then, or given up
  std::string comment;                ///< why; never empty
};

/// How far an order is, as the centre knows it.
enum class OrderProgress {
  sent,       ///< on its way
  under_way,  ///< the agent has it, it was not read back yet
  done,       ///< read back as ordered
  overruled,  ///< a reaction or an inhibit counts more just now
  refused,    ///< by the agent, or it could not be sent
  failed,     ///< not done by its deadline, given up
  no_answer,  ///< the agent said nothing by the deadline: whether it was done is not known
  ended,      ///< its time is over, or another order took its place
};
std::string_view name_of(OrderProgress progress);
std::optional<OrderProgress> order_progress_named(std::string_view name);

struct KeptOrder {
  OutputPlace place;
  std::uint64_t number = 0;
  OutputWish wish;
  std::string by;
  Timestamp at{};
  OrderProgress progress = OrderProgress::sent;
  Timestamp progress_at{};
  std::string reason;  ///< in words of the agent or of the centre; may be empty
};

struct OutputView {
  OutputPlace place;
  std::string state = "unknown";   ///< off, on, failed, inhibited, unknown, on_by_others
  bool is_live = false;            ///< false: what was known last
  std::optional<Timestamp> at;     ///< when the state was read
  std::optional<KeptOrder> order;  ///< the last one
  std::optional<KeptOrder> held;   ///< one before it that goes on to hold: the last one was not taken
};

/// An output was chosen, and what is to be done with it: whoever confirms it has seen this.
struct OutputSelection {
  std::string id;  ///< nobody can guess it
  Timestamp until{};
  OutputView output;
  OutputWish wish;
};

/// What pages and API may do with the outputs that agents work. Select before operate, as control systems do
/// it (IEC 61850-7-2, clause 20: control with select): nothing is switched that was not shown and confirmed.
/// Thread-safe.
class Outputs {
 public:
  Outputs() = default;
  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;
  virtual ~Outputs() = default;

  /// In order of place.
  virtual Result<std::vector<OutputView>> outputs() const = 0;
  /// Errc::not_found for an unknown output, Errc::conflict when its agent is away.
  virtual Result<OutputSelection> select(const OutputPlace& place, const OutputWish& wish,
                                         const std::string& by) = 0;
  /// Signs and sends what was selected, once; the same person, the same output. Errc::conflict when the
  /// selection ran out or the output is no longer as it was shown; Errc::not_connected without a broker.
  virtual Result<KeptOrder> order(const OutputPlace& place, const std::string& selection,
                                  const std::string& by) = 0;
  /// Newest first.
  virtual Result<std::vector<KeptOrder>> history(const OutputPlace& place, std::size_t limit) const = 0;
};

}  // namespace watchroom::aggregator
