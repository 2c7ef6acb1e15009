// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/recognition.hpp"

#include <algorithm>
#include <map>

#include <fmt/ranges.h>

#include "agent/drivers/modbus/line.hpp"
#include "agent/drivers/modbus/register_image.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto gap = 50ms;
// What a device says of itself outweighs any number of registers.
constexpr int identity_weight = 100;

/// Asks each register once, whichever profiles want it.
class Inquiry {
 public:
  Inquiry(const DeviceAddress& address, const BusContext& context, Patience patience)
      : timing_{patience.reply_timeout, gap},
        tries_{patience.tries},
        line_{address.where.as<ModbusAddress>(), context.stop},
        unit_{address.where.as<ModbusAddress>().unit} {}

  void identify() {
    auto identity = line_.identify(unit_, timing_);
    note(static_cast<bool>(identity));
    if (!identity) {
      silence_ = identity.error();
      return;
    }
    for (const auto& [object, text] : *identity) identity_ += text + "\n";
  }
  bool is_there() const { return has_answered_ || silences_ < tries_; }
  const Error& silence() const { return silence_; }
  const std::string& identity() const { return identity_; }

  bool holds(const RegisterProbe& probe) {
    for (const RegisterSpan& span : spans_of(probe.source)) ask(span);
    const Reading reading = image_.read(probe.source, Conversion{}, Timestamp{});
    const auto number = reading.value ? number_of(*reading.value) : std::nullopt;
    if (!number) return false;
    if (!probe.values.empty())
      return std::ranges::count(probe.values, static_cast<std::int64_t>(*number)) > 0;
    return *number >= probe.least.value_or(*number) && *number <= probe.most.value_or(*number);
  }

 private:
  void ask(const RegisterSpan& span) {
    if (!is_there() || !asked_.emplace(span, true).second) return;
    const ReadRequest request{span.table, span.address, span.count};
    auto reply = line_.ask(unit_, request, timing_);
    note(static_cast<bool>(reply));
    if (!reply) silence_ = reply.error();
    if (reply && reply->exception == 0) image_.add(request, std::move(reply->words));
  }
  void note(bool answered) {
    has_answered_ |= answered;
    if (!answered) ++silences_;
  }

  ExchangeTiming timing_;
  int tries_;
  Line line_;
  int unit_;
  RegisterImage image_;
  std::map<RegisterSpan, bool> asked_;
  std::string identity_;
  Error silence_{};
  bool has_answered_ = false;
  int silences_ = 0;
};

/// 0: it does not fit.
int fitness(const ModbusTraits& traits, Inquiry& inquiry) {
  const auto is_named = [&](const std::string& text) {
    return inquiry.identity().find(text) != std::string::npos;
  };
  if (!traits.identity.empty() && !std::ranges::any_of(traits.identity, is_named)) return 0;
  if (!std::ranges::all_of(traits.probes, [&](const RegisterProbe& probe) { return inquiry.holds(probe); }))
    return 0;
  return (traits.identity.empty() ? 0 : identity_weight) + static_cast<int>(traits.probes.size());
}

}  // namespace

Result<Profiles> recognise_modbus(const DeviceAddress& address,
                                  std::span<const std::shared_ptr<const Profile>> profiles,
                                  const BusContext& context, Patience patience) {
  Inquiry inquiry{address, context, patience};
  inquiry.identify();
  Profiles best;
  int best_fitness = 1;
  for (const auto& profile : profiles) {
    const int fits = fitness(profile->traits.as<ModbusTraits>(), inquiry);
    if (fits > best_fitness) best.clear();
    best_fitness = std::max(best_fitness, fits);
    if (fits == best_fitness) best.push_back(profile);
  }
  if (!inquiry.is_there()) return inquiry.silence();
  if (best.size() == 1) return best;
  std::vector<std::string> names;
  for (const auto& profile : best.empty() ? Profiles{profiles.begin(), profiles.end()} : best)
    names.push_back(profile->name);
  return fail(Errc::not_found, Retry::never, "{}; give it with --profile, one of: {}",
              best.empty() ? "the device answers, but does not say what it is" : "several profiles fit alike",
              fmt::join(names, ", "));
}

}  // namespace watchroom::agent
