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
// Questions to a table, before a unit that says nothing to them is taken to know no such table.
constexpr int most_silences = 2;
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

  /// Plain registers before its identification: cheap sensors say nothing to function 43, some nothing to
  /// function 3. Whoever is silent to all of them has kept silence once.
  void look() {
    for (const RegisterTable table : {RegisterTable::holding, RegisterTable::input})
      if (!has_answered_ && is_connected_) ask_line({table, 0, 1});
    if (is_connected_) identify();
    if (!has_answered_) ++silences_;
  }
  bool is_there() const { return has_answered_ || (is_connected_ && silences_ < tries_); }
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
  void identify() {
    const auto identity = line_.identify(unit_, timing_);
    if (!identity) return note(identity.error());
    has_answered_ = true;
    for (const auto& [object, text] : *identity) identity_ += text + "\n";
  }

  void ask(const RegisterSpan& span) {
    const TableUse& use = uses_[span.table];
    const bool is_mute = !use.has_answered && use.silences >= most_silences;
    if (!is_there() || is_mute || !asked_.emplace(span, true).second) return;
    if (!ask_line({span.table, span.address, span.count})) ++silences_;
  }

  bool ask_line(const ReadRequest& request) {
    auto reply = line_.ask(unit_, request, timing_);
    if (reply && is_of_gateway(reply->exception))
      reply = fail(Errc::no_answer, Retry::later, "no answer, says the gateway: {}",
                   exception_text(reply->exception));
    TableUse& use = uses_[request.table];
    if (!reply) {
      ++use.silences;
      note(reply.error());
      return false;
    }
    has_answered_ = use.has_answered = true;
    if (reply->exception == 0) image_.add(request, std::move(reply->words));
    return true;
  }

  /// What arrived in pieces tells more than a silence.
  void note(const Error& error) {
    is_connected_ &= error.code != Errc::not_connected;
    if (silence_.code != Errc::corrupt || !is_connected_) silence_ = error;
  }

  struct TableUse {
    bool has_answered = false;
    int silences = 0;
  };

  ExchangeTiming timing_;
  int tries_;
  Line line_;
  int unit_;
  RegisterImage image_;
  std::map<RegisterSpan, bool> asked_;
  std::map<RegisterTable, TableUse> uses_;
  std::string identity_;
  Error silence_{};
  bool is_connected_ = true;
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
  inquiry.look();
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
