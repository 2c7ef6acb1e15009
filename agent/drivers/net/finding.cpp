// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/finding.hpp"

#include <array>

#include "agent/drivers/conversion.hpp"

namespace watchroom::agent {
namespace {

template <typename T>
using Names = std::vector<std::pair<std::string_view, T>>;

const Names<NetMeasure> measure_names{{"state", NetMeasure::state},
                                      {"reason", NetMeasure::reason},
                                      {"response_time", NetMeasure::response_time},
                                      {"loss", NetMeasure::loss},
                                      {"status_code", NetMeasure::status_code},
                                      {"certificate_days", NetMeasure::certificate_days}};

template <typename T>
std::optional<RawNumber> raw(const std::optional<T>& number) {
  if (!number) return std::nullopt;
  if constexpr (std::is_integral_v<T>) return RawNumber{std::int64_t{*number}};
  return RawNumber{*number};
}

std::optional<RawNumber> raw_of(const Finding& finding, NetMeasure measure) {
  switch (measure) {
    case NetMeasure::state: return RawNumber{std::int64_t{finding.is_up}};
    case NetMeasure::response_time: return raw(finding.response_ms);
    case NetMeasure::loss: return raw(finding.loss_percent);
    case NetMeasure::status_code: return raw(finding.status_code);
    case NetMeasure::certificate_days: return raw(finding.certificate_days);
    case NetMeasure::reason: break;
  }
  return std::nullopt;
}

void read_traits(const SettingsTable& table, Profile& profile) {
  NetTraits traits;
  profile.reply_timeout = read_reply_timeout(table);
  for (const std::string& name : table.texts("schemes", "the addresses it is for: icmp, tcp, http, https")) {
    bool is_known = false;
    for (const NetScheme scheme : {NetScheme::icmp, NetScheme::tcp, NetScheme::http, NetScheme::https})
      if (name_of(scheme) == name) {
        traits.schemes.push_back(scheme);
        is_known = true;
      }
    if (!is_known) table.reject("schemes", "some of \"icmp\", \"tcp\", \"http\", \"https\"");
  }
  if (traits.schemes.empty())
    table.reject("schemes", "at least one of \"icmp\", \"tcp\", \"http\", \"https\"");
  table.finish();
  profile.traits = std::move(traits);
}

void read_source(const SettingsTable& table, ProfilePoint& point) {
  NetSource source;
  source.measure =
      table.choice<NetMeasure>("measure", measure_names, std::nullopt, "what of a finding it shows");
  const bool is_text = source.measure == NetMeasure::reason;
  if (is_text != (point.source.conversion.unit == Unit::text))
    table.reject("measure",
                 is_text ? "\"reason\" only for a point of unit \"text\"" : "\"reason\" for a text");
  if (point.is_table()) table.reject("name", "an instance; [*] is for tables over SNMP");
  if (point.is_optional) table.reject("optional", "no such key: every host has every point");
  if (!is_text) read_conversion(table, point.source.conversion);
  point.source.where = source;
}

/// A sample is a finding: { up, reason, response_ms, loss_percent, status_code, certificate_days }.
DriverPart read_answer(const SettingsTable& sample) {
  const SettingsTable table = sample.table("finding");
  const auto integer = [&](std::string_view key, std::int64_t least) -> std::optional<int> {
    const auto value = table.optional_integer(key, {.help = "see Finding", .least = least, .most = 100'000});
    return value ? std::optional{static_cast<int>(*value)} : std::nullopt;
  };
  Finding finding;
  finding.is_up = table.flag("up", false, "it answered as it should");
  finding.reason = table.optional_text("reason", "why it is down").value_or("");
  finding.response_ms = table.optional_number("response_ms", {.help = "time until the answer"});
  finding.loss_percent = table.optional_number("loss_percent", {.help = "echoes without an answer"});
  finding.status_code = integer("status_code", 100);
  finding.certificate_days = integer("certificate_days", -100'000);
  table.finish();
  return finding;
}

Result<NamedReadings> play(const Profile& profile, const DriverPart& answer) {
  NamedReadings readings;
  for (const ProfilePoint& point : profile.points)
    readings.emplace_back(point.name, reading_of(answer.as<Finding>(), point.source, Timestamp{}));
  return readings;
}

std::string source_text(const DriverPart& where) {
  return std::string{measure_names[static_cast<std::size_t>(where.as<NetSource>().measure)].first};
}

}  // namespace

double milliseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(time).count()) / 1000.0;
}

Reading reading_of(const Finding& finding, const PointSource& source, Timestamp at) {
  const NetMeasure measure = source.where.as<NetSource>().measure;
  if (measure == NetMeasure::reason) return {Value{finding.reason}, Quality::good, at};
  if (const auto number = raw_of(finding, measure)) return to_reading(*number, source.conversion, at);
  return {std::nullopt, Quality::stale, at};
}

Answer answer_of(const Finding& finding, const SharedList<PointSource>& sources, Timestamp at) {
  if (finding.not_asked) return silent_answer(*finding.not_asked, sources.size(), at);
  Answer answer;
  answer.communication = Communication::ok;
  for (const PointSource& source : sources) answer.readings.push_back(reading_of(finding, source, at));
  return answer;
}

constinit const ProfileGrammar net_profiles{.read_traits = read_traits,
                                            .read_source = read_source,
                                            .read_answer = read_answer,
                                            .play = play,
                                            .source_text = source_text};

}  // namespace watchroom::agent
