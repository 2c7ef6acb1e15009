// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/payload.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "messages/sparkplug_b.pb.h"

namespace watchroom {
namespace {

namespace wire = org::eclipse::tahu::protobuf;

// DataType numbers (Sparkplug B 3.0.0, chapter 6).
enum DataType : std::uint32_t {
  type_int8 = 1,
  type_int16 = 2,
  type_int32 = 3,
  type_int64 = 4,
  type_uint8 = 5,
  type_uint16 = 6,
  type_uint32 = 7,
  type_uint64 = 8,
  type_float = 9,
  type_double = 10,
  type_boolean = 11,
  type_string = 12,
  type_datetime = 13,
  type_text = 14,
  type_uuid = 15,
};

constexpr std::string_view quality_key = "Quality";
constexpr std::string_view unit_key = "engUnit";
constexpr std::string_view states_key = "states";
constexpr std::string_view label_key = "label";
constexpr std::string_view alarms_key = "alarms";
constexpr std::string_view clock_unsure_key = "Clock Unsure";

std::uint32_t to_wire(Quality quality) {
  switch (quality) {
    case Quality::good: return 192;
    case Quality::stale: return 500;
    case Quality::bad: return 0;
  }
  std::abort();
}

void add_text_property(wire::Payload::PropertySet& set, std::string_view key, const std::string& text) {
  set.add_keys(std::string{key});
  auto* value = set.add_values();
  value->set_type(type_string);
  value->set_string_value(text);
}

void encode_properties(const Metric& metric, wire::Payload::Metric& out) {
  if (metric.quality == Quality::good && !metric.is_clock_unsure && metric.unit.empty() &&
      metric.states.empty() && metric.label.empty() && metric.alarms.empty())
    return;
  auto& set = *out.mutable_properties();
  set.add_keys(std::string{quality_key});
  auto* quality = set.add_values();
  quality->set_type(type_int32);
  quality->set_int_value(to_wire(metric.quality));
  if (!metric.unit.empty()) add_text_property(set, unit_key, metric.unit);
  if (!metric.states.empty()) add_text_property(set, states_key, metric.states);
  if (!metric.label.empty()) add_text_property(set, label_key, metric.label);
  if (!metric.alarms.empty()) add_text_property(set, alarms_key, metric.alarms);
  if (metric.is_clock_unsure) {
    set.add_keys(std::string{clock_unsure_key});
    auto* unsure = set.add_values();
    unsure->set_type(type_boolean);
    unsure->set_boolean_value(true);
  }
}

/// A metric whose value is not known yet still has a type in its birth.
std::uint32_t type_without_value(const Metric& metric) {
  if (metric.unit == "text") return type_string;
  if (metric.unit == "state" || metric.unit == "count") return type_int64;
  return type_double;
}

void encode_metric(const Metric& metric, WithDatatypes datatypes, wire::Payload::Metric& out) {
  if (!metric.name.empty()) out.set_name(metric.name);
  if (metric.alias) out.set_alias(*metric.alias);
  if (metric.at) out.set_timestamp(static_cast<std::uint64_t>(to_ms(*metric.at)));
  if (metric.is_historical) out.set_is_historical(true);
  encode_properties(metric, out);
  std::uint32_t type = type_without_value(metric);
  if (!metric.value) {
    out.set_is_null(true);
  } else if (const auto* number = std::get_if<double>(&*metric.value)) {
    type = type_double;
    out.set_double_value(*number);
  } else if (const auto* integer = std::get_if<std::int64_t>(&*metric.value)) {
    type = type_int64;
    out.set_long_value(static_cast<std::uint64_t>(*integer));
  } else if (const auto* flag = std::get_if<bool>(&*metric.value)) {
    type = type_boolean;
    out.set_boolean_value(*flag);
  } else {
    type = type_string;
    out.set_string_value(std::get<std::string>(*metric.value));
  }
  if (datatypes == WithDatatypes::yes) out.set_datatype(type);
}

/// Two's complement in an unsigned field, cut to its width: some peers extend the sign to 32 bits, some mask.
std::int64_t integer_from(std::uint64_t raw, std::uint32_t type) {
  switch (type) {
    case type_int8: return static_cast<std::int8_t>(raw);
    case type_int16: return static_cast<std::int16_t>(raw);
    case type_int32: return static_cast<std::int32_t>(raw);
    case type_uint8: return static_cast<std::uint8_t>(raw);
    case type_uint16: return static_cast<std::uint16_t>(raw);
    case type_uint32: return static_cast<std::uint32_t>(raw);
    default: return static_cast<std::int64_t>(raw);
  }
}

Value integer_value(std::uint64_t raw, std::uint32_t type) {
  // A UInt64 beyond Int64 keeps its size rather than turning negative.
  if (type == type_uint64 && raw > static_cast<std::uint64_t>(INT64_MAX))
    return Value{static_cast<double>(raw)};
  return Value{integer_from(raw, type)};
}

bool is_integer_type(std::uint32_t type) { return type >= type_int8 && type <= type_uint64; }

std::optional<Value> value_of(const wire::Payload::Metric& in) {
  switch (in.value_case()) {
    case wire::Payload::Metric::kIntValue: return integer_value(in.int_value(), in.datatype());
    case wire::Payload::Metric::kLongValue: return integer_value(in.long_value(), in.datatype());
    case wire::Payload::Metric::kFloatValue: return Value{static_cast<double>(in.float_value())};
    case wire::Payload::Metric::kDoubleValue: return Value{in.double_value()};
    case wire::Payload::Metric::kBooleanValue: return Value{in.boolean_value()};
    case wire::Payload::Metric::kStringValue: return Value{in.string_value()};
    default: return std::nullopt;
  }
}

Result<void> decode_properties(const wire::Payload::PropertySet& set, Metric& metric) {
  if (set.keys_size() != set.values_size())
    return fail(Errc::corrupt, Retry::never, "metric \"{}\": {} property keys but {} values", metric.name,
                set.keys_size(), set.values_size());
  for (int i = 0; i < set.keys_size(); ++i) {
    const auto& value = set.values(i);
    if (set.keys(i) == quality_key) {
      switch (value.int_value()) {
        case 192: metric.quality = Quality::good; break;
        case 500: metric.quality = Quality::stale; break;
        case 0: metric.quality = Quality::bad; break;
        default:
          return fail(Errc::corrupt, Retry::never, "metric \"{}\": quality {} is none of 0, 192, 500",
                      metric.name, value.int_value());
      }
    } else if (set.keys(i) == unit_key) {
      metric.unit = value.string_value();
    } else if (set.keys(i) == states_key) {
      metric.states = value.string_value();
    } else if (set.keys(i) == label_key) {
      metric.label = value.string_value();
    } else if (set.keys(i) == alarms_key) {
      metric.alarms = value.string_value();
    } else if (set.keys(i) == clock_unsure_key) {
      metric.is_clock_unsure = value.boolean_value();
    }
  }
  return {};
}

Result<Metric> decode_metric(const wire::Payload::Metric& in) {
  Metric metric;
  metric.name = in.name();
  if (in.has_alias()) metric.alias = in.alias();
  if (in.has_timestamp()) {
    if (in.timestamp() > static_cast<std::uint64_t>(INT64_MAX))
      return fail(Errc::corrupt, Retry::never, "metric \"{}\": timestamp {} is out of range", in.name(),
                  in.timestamp());
    metric.at = from_ms(static_cast<std::int64_t>(in.timestamp()));
  }
  metric.is_historical = in.is_historical();
  if (is_integer_type(in.datatype()) && in.datatype() != type_int64) metric.integer_type = in.datatype();
  if (in.has_properties())
    if (auto read = decode_properties(in.properties(), metric); !read) return read.error();
  const bool is_null = in.is_null() || in.value_case() == wire::Payload::Metric::VALUE_NOT_SET;
  if (!is_null) {
    metric.value = value_of(in);
    metric.is_unreadable = !metric.value;
    // A number that is none has no meaning that any rule could judge.
    if (metric.value)
      if (const auto* number = std::get_if<double>(&*metric.value); number && !std::isfinite(*number)) {
        metric.value.reset();
        metric.quality = Quality::bad;
      }
  }
  return metric;
}

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    if (space > 0) words.push_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return words;
}

}  // namespace

std::string to_hex(const JournalId& id) {
  std::string hex;
  for (const std::uint8_t byte : id) hex += fmt::format("{:02x}", byte);
  return hex;
}

std::optional<JournalId> journal_id_from_hex(std::string_view hex) {
  JournalId id{};
  if (hex.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const char* begin = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, id[i], 16);
    if (error != std::errc{} || end != begin + 2) return std::nullopt;
  }
  return id;
}

void read_as(std::uint32_t integer_type, Metric& metric) {
  const auto* integer = metric.value ? std::get_if<std::int64_t>(&*metric.value) : nullptr;
  if (integer && !metric.integer_type)
    metric.value = integer_value(static_cast<std::uint64_t>(*integer), integer_type);
}

const Metric* Payload::find(std::string_view name) const {
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const Metric& m) { return m.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

std::string encode(const Payload& payload, WithDatatypes datatypes) {
  wire::Payload out;
  if (payload.at) out.set_timestamp(static_cast<std::uint64_t>(to_ms(*payload.at)));
  if (payload.seq) out.set_seq(*payload.seq);
  for (const Metric& metric : payload.metrics) encode_metric(metric, datatypes, *out.add_metrics());
  if (payload.journal) {
    auto& stamp = *out.MutableExtension(wire::journal);
    stamp.set_journal_id(payload.journal->journal_id.data(), payload.journal->journal_id.size());
    stamp.set_record(payload.journal->record);
    stamp.set_oldest_available(payload.journal->oldest_available);
  }
  return out.SerializeAsString();
}

Result<Payload> decode(std::string_view bytes) {
  wire::Payload in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Errc::corrupt, Retry::never, "{} bytes that are not a Sparkplug B payload", bytes.size());
  if (static_cast<std::size_t>(in.metrics_size()) > most_metrics)
    return fail(Errc::corrupt, Retry::never, "{} metrics in one payload, at most {} are read",
                in.metrics_size(), most_metrics);
  Payload payload;
  if (in.has_timestamp()) {
    if (in.timestamp() > static_cast<std::uint64_t>(INT64_MAX))
      return fail(Errc::corrupt, Retry::never, "timestamp {} is out of range", in.timestamp());
    payload.at = from_ms(static_cast<std::int64_t>(in.timestamp()));
  }
  if (in.has_seq()) {
    if (in.seq() > 255) return fail(Errc::corrupt, Retry::never, "seq {} is out of range 0 to 255", in.seq());
    payload.seq = static_cast<std::uint8_t>(in.seq());
  }
  payload.metrics.reserve(static_cast<std::size_t>(in.metrics_size()));
  for (const auto& wire_metric : in.metrics()) {
    auto metric = decode_metric(wire_metric);
    if (!metric) return metric.error();
    payload.metrics.push_back(*std::move(metric));
  }
  if (in.HasExtension(wire::journal)) {
    const auto& stamp = in.GetExtension(wire::journal);
    JournalStamp read;
    if (stamp.journal_id().size() != read.journal_id.size() || stamp.record() == 0)
      return fail(Errc::corrupt, Retry::never, "a journal stamp with {} id bytes and record {}",
                  stamp.journal_id().size(), stamp.record());
    std::memcpy(read.journal_id.data(), stamp.journal_id().data(), read.journal_id.size());
    read.record = stamp.record();
    read.oldest_available = stamp.oldest_available();
    payload.journal = read;
  }
  return payload;
}

std::string JournalAck::str() const {
  std::string text = fmt::format("{} {} {}", to_hex(journal_id), host_id, cumulative);
  for (const auto& [first, last] : ranges) text += fmt::format(" {}-{}", first, last);
  return text;
}

Result<JournalAck> JournalAck::parse(std::string_view text) {
  const auto malformed = [&] {
    return fail(Errc::corrupt, Retry::never, "\"{}\" is not a journal acknowledgement", text.substr(0, 200));
  };
  const auto words = words_of(text);
  if (words.size() < 3) return malformed();
  const auto id = journal_id_from_hex(words[0]);
  const auto cumulative = number_from(words[2]);
  if (!id || !cumulative) return malformed();
  JournalAck ack{*id, std::string{words[1]}, *cumulative, {}};
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::size_t dash = words[i].find('-');
    if (dash == std::string_view::npos) return malformed();
    const auto first = number_from(words[i].substr(0, dash));
    const auto last = number_from(words[i].substr(dash + 1));
    if (!first || !last || *first > *last || *first <= ack.cumulative) return malformed();
    ack.ranges.emplace_back(*first, *last);
  }
  return ack;
}

}  // namespace watchroom
