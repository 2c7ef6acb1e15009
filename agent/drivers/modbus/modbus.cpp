// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/modbus.hpp"

#include <algorithm>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/modbus/line.hpp"
#include "agent/drivers/modbus/read_plan.hpp"
#include "agent/drivers/modbus/recognition.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Modbus Application Protocol V1.1b3, 7.
constexpr int illegal_data_address = 2, illegal_data_value = 3, gateway_path_unavailable = 10,
              gateway_target_silent = 11;

std::vector<RegisterSpan> all_spans(const SharedList<PointSource>& sources) {
  std::vector<RegisterSpan> spans;
  for (const PointSource& source : sources)
    for (const RegisterSpan& span : spans_of(source.where.as<RegisterSource>())) spans.push_back(span);
  return spans;
}

/// One unit on the line.
struct UnitState {
  ConfiguredDevice device;
  ReadPlan plan;  // made from the device's sources
  RegisterImage image;
  bool answered_last_time = false;
  int last_exception = 0;
  bool tells_refusals = true;

  explicit UnitState(ConfiguredDevice configured)
      : device{std::move(configured)},
        plan{all_spans(device.sources), device.profile->traits.as<ModbusTraits>()} {}

  int unit() const { return device.address.where.as<ModbusAddress>().unit; }
};

class ModbusBus final : public Bus {
 public:
  ModbusBus(std::vector<ConfiguredDevice> devices, BusContext context)
      : context_{std::move(context)},
        line_{devices.front().address.where.as<ModbusAddress>(), context_.stop} {
    for (ConfiguredDevice& device : devices) units_.emplace_back(std::move(device));
  }

  Answer read(std::size_t device) override {
    UnitState& unit = units_[device];
    if (unit.device.sources.empty()) return {.communication = Communication::ok, .text = {}, .readings = {}};
    const auto fetched = fetch(unit);
    const Timestamp at = context_.clock.now();
    unit.answered_last_time = static_cast<bool>(fetched);
    if (!fetched) return silent_answer(fetched.error(), unit.device.sources.size(), at);
    Answer answer;
    answer.communication = Communication::ok;
    for (const PointSource& source : unit.device.sources)
      answer.readings.push_back(unit.image.read(source.where.as<RegisterSource>(), source.conversion, at));
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
    const auto fetched = fetch(unit);
    if (!fetched && fetched.error().code != Errc::refused) return fetched.error();
    for (const ProfilePoint& point : profile.points)
      if (point.is_optional && was_read(unit.image, point.source.where.as<RegisterSource>()))
        found.push_back({point.key, {}});
    return found;
  }

  void use(std::size_t device, SharedList<PointSource> sources) override {
    ConfiguredDevice changed = std::move(units_[device].device);
    changed.sources = std::move(sources);
    units_[device] = UnitState{std::move(changed)};
  }

 private:
  static bool was_read(const RegisterImage& image, const RegisterSource& source) {
    const auto spans = spans_of(source);
    return std::all_of(spans.begin(), spans.end(), [&](const auto& span) { return image.find(span); });
  }

  /// Fills the unit's image. An error only when the device as a whole cannot be read.
  Result<void> fetch(UnitState& unit) {
    unit.image.clear();
    unit.last_exception = 0;
    unit.plan.readmit(context_.clock.steady());
    bool any_block_read = false;
    std::size_t next = 0;
    while (next < unit.plan.requests().size()) {
      const ReadRequest request = unit.plan.requests()[next];
      auto reply = ask(unit, request);
      if (!reply) return reply.error();
      if (reply->exception == 0) {
        unit.image.add(request, std::move(reply->words));
        any_block_read = true;
        next = unit.plan.accept(next);
      } else {
        const auto go_on = take_refusal(unit, next, reply->exception);
        if (!go_on) return go_on.error();
      }
    }
    if (any_block_read) return {};
    // A device that is starting up may refuse everything for a moment: nothing is learned from that.
    unit.plan.forget();
    return fail(Errc::refused, Retry::later, "the device refused every request: {}",
                unit.last_exception != 0 ? exception_text(unit.last_exception) : "unknown addresses");
  }

  /// Moves `next` on, unless the request was cut and its pieces are to be asked.
  Result<void> take_refusal(UnitState& unit, std::size_t& next, int exception) {
    unit.last_exception = exception;
    if (exception == gateway_path_unavailable || exception == gateway_target_silent)
      return fail(Errc::no_answer, Retry::later, "no answer, says the gateway: {}",
                  exception_text(exception));
    if (exception != illegal_data_address && exception != illegal_data_value) {
      ++next;  // busy or broken just now: its points are bad this time
      return {};
    }
    const ReadRequest request = unit.plan.requests()[next];
    const bool was_cut = unit.plan.refuse(next, exception, context_.clock.steady());
    if (!was_cut && unit.tells_refusals)
      context_.log.warning("{}: registers {} to {} are refused: {}", unit.device.description.id,
                           request.address, request.address + request.count - 1, exception_text(exception));
    return {};
  }

  Result<ReadReply> ask(UnitState& unit, const ReadRequest& request) {
    const ExchangeTiming timing{unit.device.reply_timeout, unit.device.gap};
    auto reply = line_.ask(unit.unit(), request, timing);
    // A living device gets a second chance: frames do get lost. A dead one must not cost two time-outs.
    const bool again = !reply && reply.error().retry == Retry::now && unit.answered_last_time;
    if (!again) return reply;
    reply = line_.ask(unit.unit(), request, timing);
    if (reply) line_.expect_late_answer(timing.reply_timeout);
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
