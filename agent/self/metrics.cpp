// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Everything the agent tells of itself; one entry a metric.
#include "agent/self/metrics.hpp"

#include <algorithm>
#include <chrono>

#include "agent/self/field_metrics.hpp"
#include "agent/self/judge_metrics.hpp"
#include "agent/self/metric_states.hpp"
#include "agent/self/order_metrics.hpp"

namespace watchroom::agent {
namespace {

using Figures = SelfFigures;
using Told = MetricValues;
using enum MetricType;

constexpr double percent = 100, milliseconds = 1000, days = 1.0 / 86'400;
constexpr double megabyte = 1e6;

double seconds(std::chrono::milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

template <typename Read>
void each_bus(const Figures& figures, Told& told, Read read) {
  for (const BusRates& bus : figures.buses)
    told.push_back({read(bus), {bus.counts.name}, bus.counts.instance});
}

template <typename Read>
void each_certificate(const Figures& figures, Told& told, Read read) {
  for (const CertificateFigures& certificate : figures.certificates)
    told.push_back({read(certificate), {certificate.name}, certificate.name});
}

constexpr MetricDescription descriptions[]{
    {.name = "build_info",
     .zh = "程序版本；恒为 1",
     .en = "The program's version; always 1",
     .labels = {"version"},
     .values =
         [](const Figures&, Told& told) {
           told.push_back({1.0, {WATCHROOM_VERSION}});
         }},
    {.name = "start_time",
     .unit = "seconds",
     .zh = "启动时刻（自 1970 年）",
     .en = "When it was started, since 1970",
     .value = [](const Figures& f) -> std::optional<double> { return number(to_ms(f.started_at)) / 1000; }},
    {.name = "uptime",
     .unit = "seconds",
     .zh = "已运行时间",
     .en = "How long it has been running",
     .value = [](const Figures& f) -> std::optional<double> { return seconds(f.steady - f.started); },
     .point = {.kind = "device.uptime", .deadband = 600}},
    // the process
    {.name = "process_cpu",
     .type = counter,
     .unit = "seconds",
     .zh = "占用的 CPU 时间（用户态与内核态）",
     .en = "Processor time, user and system",
     .value = [](const Figures& f) { return f.process.cpu_s; }},
    {.name = "process_cpu",
     .unit = "ratio",
     .zh = "最近一分钟平均占用一个核的比例",
     .en = "Share of one core, mean of the last minute",
     .value = [](const Figures& f) { return f.cpu_share; },
     .point = {.kind = "agent.cpu", .scale = percent, .deadband = 5}},
    {.name = "process_resident_memory",
     .unit = "bytes",
     .zh = "常驻内存",
     .en = "Resident memory",
     .value = [](const Figures& f) { return number(f.process.resident_bytes); },
     .point = {.kind = "agent.memory", .deadband = 2 * megabyte}},
    {.name = "process_anonymous_memory",
     .unit = "bytes",
     .zh = "其中自身分配的内存（不含程序与共享库）",
     .en = "Of that, its own: without the program and its libraries",
     .value = [](const Figures& f) { return number(f.process.anonymous_bytes); },
     .point = {.kind = "agent.memory_anonymous", .deadband = megabyte}},
    {.name = "process_threads",
     .zh = "线程数",
     .en = "Threads",
     .value = [](const Figures& f) { return number(f.process.threads); }},
    {.name = "process_open_fds",
     .zh = "已打开的文件描述符",
     .en = "Open descriptors",
     .value = [](const Figures& f) { return number(f.process.open_descriptors); }},
    {.name = "process_max_fds",
     .zh = "文件描述符上限",
     .en = "The most descriptors it may open",
     .value = [](const Figures& f) { return number(f.process.most_descriptors); }},
    {.name = "process_fds",
     .unit = "ratio",
     .zh = "文件描述符占上限的比例",
     .en = "Open descriptors as a share of the most",
     .value = [](const Figures& f) -> std::optional<double> {
       if (!f.process.open_descriptors || !f.process.most_descriptors) return std::nullopt;
       return number(*f.process.open_descriptors) / number(*f.process.most_descriptors);
     },
     .point = {.kind = "agent.descriptors", .scale = percent, .deadband = 5}},
    {.name = "process_written",
     .type = counter,
     .unit = "bytes",
     .zh = "写入块设备的字节数",
     .en = "Bytes written to block devices",
     .value = [](const Figures& f) { return number(f.process.written_bytes); }},
    {.name = "process_written_last_day",
     .unit = "bytes",
     .zh = "最近 24 小时写入块设备的字节数（闪存寿命）",
     .en = "Bytes written to block devices in the last 24 hours (the flash wears)",
     .value = [](const Figures& f) { return number(f.written_in_a_day); },
     .point = {.kind = "agent.writes", .deadband = 5 * megabyte}},
    // the file system of data_dir
    {.name = "disk_size",
     .unit = "bytes",
     .zh = "data_dir 所在文件系统的容量",
     .en = "Size of the file system that data_dir is on",
     .value = [](const Figures& f) { return number(f.disk.size_bytes); }},
    {.name = "disk_free",
     .unit = "bytes",
     .zh = "其中可用空间",
     .en = "Room on it that is left for us",
     .value = [](const Figures& f) { return number(f.disk.free_bytes); },
     .point = {.kind = "agent.disk_free", .deadband = 50 * megabyte}},
    {.name = "disk_used",
     .unit = "ratio",
     .zh = "已用比例（同 df）",
     .en = "Share that is used, as df has it",
     .value = [](const Figures& f) { return f.disk.used_ratio; },
     .point = {.kind = "agent.disk_used", .scale = percent, .deadband = 1}},
    {.name = "disk_read_only",
     .zh = "文件系统只读为 1",
     .en = "1 when the file system is read-only",
     .value = [](const Figures& f) { return number(f.disk.is_read_only); },
     .point = {.kind = "agent.disk_state", .states = disk_states}},
    {.name = "disk_errors",
     .type = counter,
     .zh = "文件系统自建立以来的错误数（仅 ext4）",
     .en = "Errors that the file system has found since it was made (ext4 only)",
     .values =
         [](const Figures& f, Told& told) {
           if (f.disk.counts_errors) told.push_back({number(f.disk.errors)});
         },
     .point = {.kind = "agent.disk_errors", .deadband = 1}},
    // the machine
    {.name = "machine_load1",
     .zh = "系统一分钟平均负载",
     .en = "Load of the machine, mean of one minute",
     .value = [](const Figures& f) { return f.machine.load_1min; },
     .point = {.kind = "machine.load", .deadband = 1}},
    {.name = "machine_memory_available",
     .unit = "bytes",
     .zh = "系统可用内存",
     .en = "Memory of the machine that programs may still have",
     .value = [](const Figures& f) { return number(f.machine.memory_available_bytes); },
     .point = {.kind = "machine.memory_available", .deadband = 50 * megabyte}},
    {.name = "machine_temperature",
     .unit = "celsius",
     .zh = "最热测温区的温度",
     .en = "Temperature of its hottest zone",
     .values =
         [](const Figures& f, Told& told) {
           if (f.machine.has_thermometer) told.push_back({f.machine.temperature_celsius});
         },
     .point = {.kind = "device.temperature", .deadband = 3}},
    // the kernel's clock
    {.name = "clock_unsynchronised",
     .zh = "内核时钟未同步为 1",
     .en = "1 when the kernel's clock is not synchronised",
     .value = [](const Figures& f) -> std::optional<double> {
       if (!f.clock.is_synchronised) return std::nullopt;
       return *f.clock.is_synchronised ? 0 : 1;
     }},
    {.name = "clock_trust",
     .zh = "代理时钟：0 已与内核时间源或中心核对，1 未经核对，2 不可信",
     .en = "The agent's clock: 0 confirmed by the kernel or the centre, 1 not confirmed, 2 unsure",
     .value = [](const Figures& f) -> std::optional<double> {
       return static_cast<double>(f.core.clock_trust);
     },
     .point = {.kind = "clock.state", .states = clock_states}},
    {.name = "clock_offset",
     .unit = "seconds",
     .zh = "内核时钟尚待修正的偏差",
     .en = "What the kernel's clock still has to make good",
     .value = [](const Figures& f) { return f.clock.offset_s; },
     .point = {.kind = "clock.offset", .scale = milliseconds, .deadband = 20}},
    {.name = "clock_max_error",
     .unit = "seconds",
     .zh = "内核估计的最大误差",
     .en = "The kernel's bound of its clock's error",
     .value = [](const Figures& f) { return f.clock.most_error_s; }},
    // the configuration
    {.name = "configuration_state",
     .zh = "0 本地文件，1 中心下发已生效，2 试运行，3 被拒绝，4 已回退",
     .en = "0 local file, 1 from the centre, 2 on trial, 3 the one given last is refused, 4 fallen back",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.configuration.state); },
     .point = {.kind = "configuration.state", .states = configuration_states}},
    {.name = "configuration_number",
     .zh = "正在运行的配置编号，0 为本地文件",
     .en = "Number of the configuration in force; 0: the local file",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.configuration.running); },
     .point = {.kind = "configuration.number", .deadband = 1}},
    {.name = "configuration_given",
     .zh = "中心最近下发的配置编号",
     .en = "Number of the configuration that the centre gave last",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.configuration.given); },
     .point = {.kind = "configuration.given", .deadband = 1}},
    {.name = "orders_state",
     .zh = "近 15 分钟内有命令被拒绝为 1",
     .en = "1 when an order was refused in the last 15 minutes",
     .value = orders_state,
     .point = {.kind = "orders.state", .states = orders_states}},
    {.name = "orders_refused",
     .type = counter,
     .zh = "被拒绝的命令：伪造、过时或不是给本机的",
     .en = "Orders refused: forged, over, or for somebody else",
     .value = orders_refused,
     .point = {.kind = "orders.refused", .deadband = 1}},
    {.name = "orders_key_since",
     .zh = "所认签名密钥的生效时刻（自 1970 年的秒数），0 为尚未收到命令",
     .en = "Since when the signing key counts that is obeyed, in seconds since 1970; 0 when none was heard",
     .value = orders_key_since,
     .point = {.kind = "orders.key_since", .deadband = 1}},
    // certificates
    {.name = "certificate_remaining",
     .unit = "seconds",
     .zh = "证书剩余有效时间；负数为已过期",
     .en = "Time until it runs out; negative since then",
     .labels = {"certificate"},
     .values =
         [](const Figures& f, Told& told) {
           each_certificate(f, told, [](const CertificateFigures& one) { return one.remaining_s; });
         },
     .point = {.kind = "certificate[].days", .scale = days, .deadband = 1}},
    {.name = "certificate_state",
     .zh = "0 有效，1 尚未生效，2 已过期，3 无法读取",
     .en = "0 valid, 1 not valid yet, 2 expired, 3 unreadable",
     .labels = {"certificate"},
     .values =
         [](const Figures& f, Told& told) {
           each_certificate(f, told, [](const CertificateFigures& one) { return number(one.state); });
         },
     .point = {.kind = "certificate[].state", .states = certificate_states}},
    // buses
    {.name = "bus_devices",
     .zh = "各总线的设备数，按状态",
     .en = "Devices of the bus, by how they are",
     .labels = {"bus", "state"},
     .values = devices_of_buses},
    {.name = "bus_devices_lost",
     .zh = "不应答的设备数",
     .en = "Devices that do not answer as they should",
     .labels = {"bus"},
     .values =
         [](const Figures& f, Told& told) {
           each_bus(f, told, [](const BusRates& bus) { return number(bus.counts.lost); });
         },
     .point = {.kind = "bus[].devices_lost", .deadband = 1}},
    {.name = "bus_polls",
     .type = counter,
     .zh = "轮询次数，按结果",
     .en = "Polls, by what came of them",
     .labels = {"bus", "result"},
     .values = polls_of_buses},
    {.name = "bus_errors",
     .unit = "ratio",
     .zh = "最近 5 分钟轮询失败的比例",
     .en = "Share of the polls of the last 5 minutes that failed",
     .labels = {"bus"},
     .values = [](const Figures& f,
                  Told& told) { each_bus(f, told, [](const BusRates& bus) { return bus.error_share; }); },
     .point = {.kind = "bus[].errors", .scale = percent, .deadband = 5}},
    {.name = "bus_busy",
     .type = counter,
     .unit = "seconds",
     .zh = "各线程询问设备的时间之和",
     .en = "Time in which its threads asked, all together",
     .labels = {"bus"},
     .values =
         [](const Figures& f, Told& told) {
           each_bus(f, told, [](const BusRates& bus) { return seconds(bus.counts.busy); });
         }},
    {.name = "bus_load",
     .unit = "ratio",
     .zh = "最近一分钟总线忙的比例",
     .en = "Share of the last minute in which the bus was busy",
     .labels = {"bus"},
     .values = [](const Figures& f,
                  Told& told) { each_bus(f, told, [](const BusRates& bus) { return bus.load; }); },
     .point = {.kind = "bus[].load", .scale = percent, .deadband = 5}},
    {.name = "bus_lateness",
     .unit = "seconds",
     .zh = "最近 5 分钟内轮询比周期迟到的最大值",
     .en = "The most that a poll came later than its interval, last 5 minutes",
     .labels = {"bus"},
     .values =
         [](const Figures& f, Told& told) {
           each_bus(f, told, [](const BusRates& bus) { return seconds(bus.lateness); });
         },
     .point = {.kind = "bus[].lateness", .scale = milliseconds, .deadband = 1000}},

    {.name = "snmp_traps",
     .type = counter,
     .zh = "收到的 SNMP trap 与 inform 数，按结果",
     .en = "SNMP traps and informs that came, by what became of them",
     .labels = {"result"},
     .values = traps_by_result},

    // the mailbox into the core
    {.name = "mailbox_fill",
     .unit = "ratio",
     .zh = "核心收件箱中轮询可用空间的占用比例",
     .en = "What waits for the core, as a share of the room for polls",
     .value = [](const Figures& f) -> std::optional<double> {
       if (f.core.mailbox_room == 0) return std::nullopt;
       return number(f.core.mailbox_fill) / number(f.core.mailbox_room);
     },
     .point = {.kind = "mailbox.fill", .scale = percent, .deadband = 10}},
    {.name = "mailbox_refused",
     .type = counter,
     .zh = "因收件箱已满而丢弃的轮询和消息",
     .en = "Polls and messages that found no room",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.mailbox_refused); },
     .point = {.kind = "mailbox.refused", .deadband = 1}},
    // the journal
    {.name = "journal_state",
     .zh = "0 可靠，1 仅在内存，2 写入失败",
     .en = "0 durable, 1 in memory only, 2 failing",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.health); },
     .point = {.kind = "journal.state", .states = journal_states}},
    {.name = "journal_waiting_records",
     .zh = "中心尚未确认的记录数",
     .en = "Records that some host does not have yet",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.waiting); },
     .point = {.kind = "journal.waiting", .deadband = 500}},
    {.name = "journal_oldest_age",
     .unit = "seconds",
     .zh = "其中最早一条的时长",
     .en = "How long the oldest of them has been waiting",
     .value = [](const Figures& f) -> std::optional<double> {
       if (!f.core.journal.oldest_at) return 0.0;
       // A clock that was set back meanwhile makes no negative age.
       return std::max(0.0, seconds(f.at - *f.core.journal.oldest_at));
     },
     .point = {.kind = "journal.oldest_age", .deadband = 30}},
    {.name = "journal_size",
     .unit = "bytes",
     .zh = "日志文件中已用的字节数",
     .en = "Bytes in use in the journal's file",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.file_bytes); },
     .point = {.kind = "journal.size", .deadband = 8 * megabyte}},
    {.name = "journal_memory",
     .unit = "bytes",
     .zh = "尚未落盘的记录",
     .en = "Records that are not on disk yet",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.memory_bytes); }},
    {.name = "journal_records",
     .type = counter,
     .zh = "写入日志的记录",
     .en = "Records appended",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.appended); }},
    {.name = "journal_commits",
     .type = counter,
     .zh = "落盘次数",
     .en = "Times that records were put on disk",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.commits); }},
    {.name = "journal_committed",
     .type = counter,
     .unit = "bytes",
     .zh = "落盘的记录字节数",
     .en = "Bytes of records put on disk",
     .value = [](const Figures& f) -> std::optional<double> {
       return number(f.core.journal.committed_bytes);
     }},
    {.name = "journal_failed_commits",
     .type = counter,
     .zh = "落盘失败次数",
     .en = "Times that the disk refused",
     .value = [](const Figures& f) -> std::optional<double> {
       return number(f.core.journal.failed_commits);
     }},
    {.name = "journal_lost_records",
     .type = counter,
     .zh = "未送达即丢弃的记录（自日志建立以来）",
     .en = "Records dropped before every host had them, since the journal was made",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.lost); },
     .point = {.kind = "journal.lost", .deadband = 1}},
    {.name = "journal_moved_aside",
     .type = counter,
     .zh = "因损坏而移开的日志文件",
     .en = "Damaged journal files that were moved aside",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.journal.moved_aside); }},
    // the link
    {.name = "link_connected",
     .zh = "与服务器有会话为 1",
     .en = "1 with a session at the broker",
     .value = [](const Figures& f) -> std::optional<double> { return f.core.connected_since ? 1 : 0; }},
    {.name = "link_session_age",
     .unit = "seconds",
     .zh = "本次会话的时长",
     .en = "How long the MQTT session has lasted",
     .value = [](const Figures& f) -> std::optional<double> {
       if (!f.core.connected_since) return std::nullopt;
       return seconds(f.steady - *f.core.connected_since);
     }},
    {.name = "link_sessions",
     .type = counter,
     .zh = "建立的会话数",
     .en = "Sessions begun",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.sessions); },
     .point = {.kind = "link.sessions", .deadband = 1}},
    {.name = "link_failed_attempts",
     .type = counter,
     .zh = "建立会话失败的次数",
     .en = "Attempts to begin one that failed",
     .value = [](const Figures& f) -> std::optional<double> { return number(f.core.failed_attempts); }},
    {.name = "link_refused_acknowledgements",
     .type = counter,
     .zh = "被拒绝的确认",
     .en = "Acknowledgements that were refused",
     .value = [](const Figures& f) -> std::optional<double> {
       return number(f.core.refused_acknowledgements);
     }},
    // the local judge
    {.name = "output_state",
     .zh = "本地输出状态",
     .en = "What a local output does",
     .labels = {"output"},
     .values = output_states_of_judge,
     .point = {.kind = "local_output[].state", .states = output_states}},
    {.name = "output_order",
     .zh = "本地输出最近命令的编号",
     .en = "Number of the order a local output was given last",
     .labels = {"output"},
     .values = output_orders_of_judge,
     .point = {.kind = "local_output[].order", .deadband = 1}},
    {.name = "output_order_refused",
     .zh = "本地输出最近被拒绝的命令的编号",
     .en = "Number of the order to a local output that was refused last",
     .labels = {"output"},
     .values = refused_orders_of_judge,
     .point = {.kind = "local_output[].refused", .deadband = 1}},
    {.name = "output_order_progress",
     .zh = "本地输出最近命令的进展",
     .en = "How far a local output is with its last order",
     .labels = {"output"},
     .values = order_progress_of_judge,
     .point = {.kind = "local_output[].progress", .states = order_states}},
    {.name = "output_failed_writes",
     .type = counter,
     .zh = "本地输出写入未成功的次数",
     .en = "Times that a local output did not obey",
     .labels = {"output"},
     .values = output_failures_of_judge},
    {.name = "reaction_state",
     .zh = "联动状态",
     .en = "Where a reaction stands",
     .labels = {"reaction"},
     .values = reaction_states_of_judge,
     .point = {.kind = "reaction[].state", .states = reaction_states}},
    {.name = "inhibited",
     .zh = "联动被抑制为 1",
     .en = "1 while reactions are inhibited",
     .values = inhibit_state_of_judge,
     .point = {.kind = "inhibit.state", .states = inhibit_states}},
    {.name = "inhibit_info",
     .zh = "谁抑制、至何时、为何；恒为 1",
     .en = "Who inhibits them, until when and why; always 1",
     .labels = {"by"},
     .values = inhibit_text_of_judge,
     .point = {.kind = "inhibit.text"}},
};

}  // namespace

std::span<const MetricDescription> metric_descriptions() { return descriptions; }

std::string MetricDescription::full_name() const {
  std::string full = "watchroom_agent_";
  full += name;
  if (!unit.empty()) (full += '_') += unit;
  if (type == MetricType::counter) full += "_total";
  return full;
}

void MetricDescription::read(const SelfFigures& figures, MetricValues& told) const {
  if (value)
    told.push_back({value(figures)});
  else
    values(figures, told);
}

}  // namespace watchroom::agent
