// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/modbus.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/modbus/line.hpp"
#include "agent/drivers/modbus/read_plan.hpp"
#include "agent/drivers/modbus/recognition.hpp"
#include "agent/drivers/modbus/register_encoding.hpp"
#include "agent/drivers/pause.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Modbus Application Protocol V1.1b3, 7.
constexpr int illegal_data_address = 2, illegal_data_value = 3, device_failure = 4, acknowledged = 5;

// A relay, or a register that is kept in a slow memory, may show a new content a little later.
constexpr auto settling_time = 1000ms, settling_step = 50ms;

/// Whether a device that answers a write with this may have done it all the same.
bool leaves_doubt(int exception) {
  return exception == device_failure || exception == acknowledged || exception == gateway_target_silent;
}

/// Whether what was read is what was to be written, but for the last digits of a float.
bool is_alike(const Reading& reading, const Value& wanted) {
  const auto number = reading.value ? watchroom::number_of(*reading.value) : std::nullopt;
  const auto other = watchroom::number_of(wanted);
  return number && other && std::abs(*number - *other) <= 1e-6 * std::max(1.0, std::abs(*other));
}

// What a device says of itself hardly changes, and takes as long on the line as many values.
constexpr auto text_interval = 10min, text_retry = 1min;

// Of a block that is cut to find what is never answered, so many pieces a round: each costs a time-out.
constexpr int most_silences = 2;

bool is_text(const PointSource& source) {
  return source.where.as<RegisterSource>().type == RegisterType::text;
}

std::vector<RegisterSpan> all_spans(const SharedList<PointSource>& sources, bool of_texts) {
  std::vector<RegisterSpan> spans;
  for (const PointSource& source : sources)
    if (is_text(source) == of_texts)
      for (const RegisterSpan& span : spans_of(source.where.as<RegisterSource>())) spans.push_back(span);
  return spans;
}

/// Registers that are read together, and what they held last.
struct ReadGroup {
  ReadPlan plan;
  RegisterImage image = {};
};

/// One unit on the line.
struct UnitState {
  ConfiguredDevice device;
  ReadGroup values;  // both made from the device's sources
  ReadGroup texts;
  Steady texts_due{};
  bool answered_last_time = false;
  std::vector<KnownBlock> answered;  // in this round; two at most, that differ
  int silences = 0;                  // in this round
  int last_exception = 0;
  bool tells_refusals = true;
  bool is_told_slow = false;

  explicit UnitState(ConfiguredDevice configured)
      : device{std::move(configured)},
        values{ReadPlan{all_spans(device.sources, false), device.profile->traits.as<ModbusTraits>()}},
        texts{ReadPlan{all_spans(device.sources, true), device.profile->traits.as<ModbusTraits>()}} {}

  int unit() const { return device.address.where.as<ModbusAddress>().unit; }
};

class ModbusBus final : public Bus {
 public:
  ModbusBus(std::vector<ConfiguredDevice> devices, BusContext context)
      : context_{std::move(context)},
        line_{devices.front().address.where.as<ModbusAddress>(), context_.stop, context_.names} {
    for (ConfiguredDevice& device : devices) units_.emplace_back(std::move(device));
  }

  Answer read(std::size_t device) override {
    UnitState& unit = units_[device];
    if (unit.device.sources.empty()) return {.communication = Communication::ok, .text = {}, .readings = {}};
    const auto fetched = fetch_due(unit);
    const Timestamp at = context_.clock.now();
    unit.answered_last_time = static_cast<bool>(fetched);
    if (!fetched) {
      unit.texts_due = {};  // another device may stand there when it answers again
      unit.texts.image.clear();
      return silent_answer(fetched.error(), unit.device.sources.size(), at);
    }
    Answer answer;
    answer.communication = Communication::ok;
    for (const PointSource& source : unit.device.sources)
      answer.readings.push_back(
          image_with(unit, source).read(source.where.as<RegisterSource>(), source.conversion, at));
    return answer;
  }

  Result<std::vector<FoundPoint>> discover(std::size_t device) override {
    const Profile& profile = *units_[device].device.profile;
    ConfiguredDevice everything = units_[device].device;
    std::vector<PointSource> optional_ones;
    for (const ProfilePoint& point : profile.points)
      if (point.is_optional) optional_ones.push_back(point.source);
    everything.sources = std::move(optional_ones);
    std::vector<FoundPoint> found;
    UnitState unit{std::move(everything)};
    unit.tells_refusals = false;  // finding out is the point
    unit.answered = units_[device].answered;
    for (ReadGroup* group : {&unit.values, &unit.texts}) {
      const auto fetched = fetch(unit, *group);
      if (!fetched && fetched.error().code != Errc::refused) return fetched.error();
    }
    for (const ProfilePoint& point : profile.points)
      if (point.is_optional &&
          was_read(image_with(unit, point.source), point.source.where.as<RegisterSource>()))
        found.push_back({point.key, {}});
    return found;
  }

  Result<WriteOutcome> write(std::size_t device, const PointSource& source, const Value& value) override {
    UnitState& unit = units_[device];
    const auto request = write_request(unit, source, value);
    if (!request) return request.error();
    const WriteAttempt attempt = line_.write(unit.unit(), *request, timing_of(unit));
    WriteOutcome outcome;
    if (!attempt.reply) {
      if (!attempt.was_sent) return in(attempt.reply.error(), "nothing was written");
      outcome.doubt = attempt.reply.error().text;
    } else if (const int exception = attempt.reply->exception; exception != 0) {
      if (!leaves_doubt(exception))
        return fail(Errc::refused, Retry::never, "the device refused it: {}", exception_text(exception));
      outcome.doubt = exception_text(exception);
    }
    read_back(unit, source, value, outcome);
    return outcome;
  }

  void use(std::size_t device, SharedList<PointSource> sources) override {
    ConfiguredDevice changed = std::move(units_[device].device);
    changed.sources = std::move(sources);
    units_[device] = UnitState{std::move(changed)};
  }

 private:
  static ExchangeTiming timing_of(const UnitState& unit) {
    return {unit.device.reply_timeout, unit.device.gap};
  }

  Result<WriteRequest> write_request(UnitState& unit, const PointSource& source, const Value& value) {
    const auto& where = source.where.as<RegisterSource>();
    RegisterImage beside;  // the registers of its decimals and factor
    for (const RegisterSpan& span : spans_of(where)) {
      if (!where.write || (span.address == where.address && span.count == where.width())) continue;
      auto reply = ask(unit, {span.table, span.address, span.count});
      if (!reply) return reply.error();
      if (reply->exception == 0) beside.add({span.table, span.address, span.count}, std::move(reply->words));
    }
    const auto factor = beside.factor_of(where);
    if (!factor)
      return fail(Errc::refused, Retry::later,
                  "the device does not tell the scale of this point: nothing was written");
    auto words = encode_value(where, source.conversion, value, *factor);
    if (!words) return words.error();
    return WriteRequest{where.table, where.address, *std::move(words), where.write->is_multiple};
  }

  /// Asks until it agrees, or has had its time to.
  void read_back(UnitState& unit, const PointSource& source, const Value& wanted, WriteOutcome& outcome) {
    const auto& where = source.where.as<RegisterSource>();
    const auto give_up = std::chrono::steady_clock::now() + settling_time;
    do {
      RegisterImage image;
      outcome.read_back = {std::nullopt, Quality::stale, context_.clock.now()};
      for (const RegisterSpan& span : spans_of(where)) {
        auto reply = ask(unit, {span.table, span.address, span.count});
        if (!reply) return;
        if (reply->exception == 0) image.add({span.table, span.address, span.count}, std::move(reply->words));
      }
      outcome.read_back = image.read(where, source.conversion, context_.clock.now());
      outcome.agrees = is_alike(outcome.read_back, wanted);
    } while (!outcome.agrees && std::chrono::steady_clock::now() < give_up &&
             pause_until(context_.stop, std::chrono::steady_clock::now() + settling_step));
  }

  static bool was_read(const RegisterImage& image, const RegisterSource& source) {
    const auto spans = spans_of(source);
    return std::all_of(spans.begin(), spans.end(), [&](const auto& span) { return image.find(span); });
  }

  static const RegisterImage& image_with(const UnitState& unit, const PointSource& source) {
    return is_text(source) ? unit.texts.image : unit.values.image;
  }

  /// The values, and now and then the texts.
  Result<void> fetch_due(UnitState& unit) {
    unit.answered.clear();
    unit.silences = 0;
    const bool has_values = !unit.values.plan.is_empty();
    if (has_values)
      if (auto fetched = fetch(unit, unit.values); !fetched) return fetched;
    if (unit.texts.plan.is_empty() || (has_values && context_.clock.steady() < unit.texts_due)) return {};
    auto fetched = fetch(unit, unit.texts);
    if (!fetched && !has_values) return fetched;
    const bool is_known = fetched || fetched.error().code == Errc::refused;
    unit.texts_due = context_.clock.steady() + (is_known ? text_interval : text_retry);
    return {};
  }

  /// Fills the group's image. An error only when nothing of it can be read; then it stays as it was.
  Result<void> fetch(UnitState& unit, ReadGroup& group) {
    if (group.plan.is_empty()) return {};
    RegisterImage image;
    unit.last_exception = 0;
    group.plan.readmit(context_.clock.steady());
    bool any_block_read = false;
    std::size_t next = 0;
    while (next < group.plan.requests().size()) {
      const ReadRequest request = group.plan.requests()[next];
      auto reply = ask(unit, request, group.plan.is_on_trial(next));
      if (!reply && reply.error().retry == Retry::later) return reply.error();
      if (!reply) {
        const auto go_on = take_silence(unit, group.plan, next, reply.error());
        if (!go_on) return go_on.error();
      } else if (reply->exception == 0) {
        note_answer(unit, request, reply->words);
        image.add(request, std::move(reply->words));
        any_block_read = true;
        next = group.plan.accept(next);
      } else {
        const auto go_on = take_refusal(unit, group.plan, next, reply->exception);
        if (!go_on) return go_on.error();
      }
    }
    if (any_block_read) {
      group.image = std::move(image);
      return {};
    }
    // A device that is starting up may refuse everything for a moment: nothing is learned from that.
    if (&group == &unit.values) group.plan.forget();
    return fail(Errc::refused, Retry::later, "the device refused every request: {}",
                unit.last_exception != 0 ? exception_text(unit.last_exception) : "unknown addresses");
  }

  /// Moves `next` on, unless the request was cut and its pieces are to be asked.
  Result<void> take_refusal(UnitState& unit, ReadPlan& plan, std::size_t& next, int exception) {
    unit.last_exception = exception;
    if (is_of_gateway(exception))
      return take_silence(
          unit, plan, next,
          fail(Errc::no_answer, Retry::later, "no answer, says the gateway: {}", exception_text(exception)));
    if (exception != illegal_data_address && exception != illegal_data_value) {
      ++next;  // busy or broken just now: its points are bad this time
      return {};
    }
    const ReadRequest request = plan.requests()[next];
    const bool was_cut = plan.refuse(next, exception, context_.clock.steady());
    if (!was_cut) tell_refusal(unit, plan, request, "refused: " + exception_text(exception));
    return {};
  }

  /// Some devices are silent where others refuse: when this one answers something else, it is a refusal.
  Result<void> take_silence(UnitState& unit, ReadPlan& plan, std::size_t& next, const Error& error) {
    if (error.code != Errc::no_answer) return error;
    if (unit.answered.empty()) {
      plan.postpone(next);  // it may be the only one
      return error;
    }
    if (!line_.still_answers(unit.unit(), unit.answered, timing_of(unit))) return error;
    const ReadRequest request = plan.requests()[next];
    const bool was_cut = plan.refuse(next, gateway_target_silent, context_.clock.steady());
    if (!was_cut) tell_refusal(unit, plan, request, "never answered, while others are");
    if (++unit.silences >= most_silences && was_cut) next += 2;
    return {};
  }

  static void note_answer(UnitState& unit, const ReadRequest& request,
                          const std::vector<std::uint16_t>& words) {
    auto& answered = unit.answered;
    if (answered.empty() || (answered.size() == 1 && answered.front().words != words))
      answered.push_back({request, words});
  }

  void tell_refusal(const UnitState& unit, const ReadPlan& plan, const ReadRequest& request,
                    std::string_view how) {
    if (!unit.tells_refusals || plan.times_refused({request.table, request.address, request.count}) > 1)
      return;
    context_.log.warning("{}: registers {} to {} are {}; they are left out, and tried again now and then",
                         unit.device.description.id, request.address, request.address + request.count - 1,
                         how);
  }

  Result<ReadReply> ask(UnitState& unit, const ReadRequest& request, bool is_on_trial = false) {
    const ExchangeTiming timing = timing_of(unit);
    auto reply = line_.ask(unit.unit(), request, timing);
    // A living device gets a second chance: frames do get lost. A dead one must not cost two time-outs.
    const bool is_worth_it =
        !reply && (reply.error().retry == Retry::now || reply.error().code == Errc::no_answer);
    const bool again = is_worth_it && !is_on_trial && (unit.answered_last_time || !unit.answered.empty());
    if (again) reply = line_.ask(unit.unit(), request, timing);
    if (line_.was_late(unit.unit()) && !std::exchange(unit.is_told_slow, true))
      context_.log.warning(
          "{}: answers later than reply_timeout_ms = {} allows; it is waited for longer, up to four "
          "times as long, but a higher reply_timeout_ms would fit it better",
          unit.device.description.id, timing.reply_timeout.count());
    return reply;
  }

  BusContext context_;
  Line line_;
  std::vector<UnitState> units_;
};

std::unique_ptr<Bus> make(std::vector<ConfiguredDevice> devices, BusContext context) {
  return std::make_unique<ModbusBus>(std::move(devices), std::move(context));
}

}  // namespace

const DriverType modbus{
    .name = "modbus",
    .addresses = modbus_addresses,
    .profiles = modbus_profiles,
    .is_concurrent = false,
    .prepare = [](const std::filesystem::path&) {},
    .make = make,
    .recognise = recognise_modbus,
    .survey = survey_modbus,
};

}  // namespace watchroom::agent
