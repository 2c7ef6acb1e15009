// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/metrics.hpp"

#include <string_view>

#include <fmt/format.h>

#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {
namespace {

class Page {
 public:
  template <typename Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    write(name, "gauge", help, fmt::format("{}", value));
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    write(name, "counter", help, fmt::format("{}", value));
  }
  std::string text;

 private:
  void write(std::string_view name, std::string_view type, std::string_view help, const std::string& value) {
    text += fmt::format("# HELP watchroom_{0} {1}\n# TYPE watchroom_{0} {2}\nwatchroom_{0} {3}\n", name, help,
                        type, value);
  }
};

}  // namespace

std::string to_prometheus(const StatusView& status, Steady now, const WebFigures& web,
                          const AuditFigures& audit) {
  Page page;
  page.gauge("broker_connected", "Whether the aggregator reaches its broker.",
             status.broker_connected ? 1 : 0);
  page.gauge("agents", "Agents known.", status.agents);
  page.gauge("agents_online", "Agents online.", status.agents_online);
  page.gauge("devices", "Devices known.", status.devices);
  page.gauge("points", "Points known.", status.points);
  page.gauge("points_good", "Points whose quality is good.", status.points_good);
  page.gauge("alarms_open", "Alarms that are not normal.", status.alarms_open);
  page.gauge("alarms_unacknowledged", "Alarms nobody has acknowledged.", status.alarms_unacknowledged);
  page.gauge("mails_waiting", "Mails not yet accepted by the mail server.", status.mails_waiting);
  page.gauge("mails_failed", "Mails given up.", status.mails_failed);
  page.gauge("readings_per_second", "Readings that arrive, mean of the last 10 s.", status.readings_per_s);
  page.counter("records_total", "Journal records stored.", status.records);
  page.counter("readings_total", "Readings stored.", status.readings);
  page.gauge("store_failing", "Whether the disk refuses what should be stored.",
             status.store_is_failing ? 1 : 0);
  page.gauge("core_age_seconds", "Time since the core last said anything.", core_age_s(status, now));
  page.gauge("intake_queue", "Messages waiting to be taken in.", status.intake_queue);
  page.gauge("intake_queue_capacity", "Most messages that may wait.", status.intake_capacity);
  page.counter("intake_refused_total", "Messages refused because the queue was full.", status.intake_refused);
  page.gauge("web_connections", "Connections open.", web.connections);
  page.gauge("web_streams", "Event streams open.", web.streams);
  page.counter("web_requests_total", "Requests answered.", web.requests);
  page.counter("web_connections_turned_away_total", "Connections beyond the limit.",
               web.connections_turned_away);
  page.counter("web_requests_turned_away_total", "Requests refused because too many waited.",
               web.requests_turned_away);
  page.counter("web_streams_dropped_total", "Event streams cut because the client was too slow.",
               web.streams_dropped);
  page.counter("audit_entries_total", "Entries of the audit log written.", audit.written);
  page.gauge("audit_waiting", "Entries of the audit log that wait for the disk.", audit.waiting);
  page.counter("audit_lost_total", "Entries of the audit log that could not be kept.", audit.lost);
  page.gauge("audit_failing", "Whether the disk refuses the audit log.", audit.is_failing ? 1 : 0);
  page.gauge("audit_head", "Number of the newest entry of the audit log.", audit.head_number);
  return page.text;
}

}  // namespace watchroom::aggregator
