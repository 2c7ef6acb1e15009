// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>

#include "agent/self/metrics.hpp"

/// What the numbers of the agent's own states mean, and how they become numbers.
namespace watchroom::agent {

template <typename Number>
std::optional<double> number(const std::optional<Number>& value) {
  return value ? std::optional{static_cast<double>(*value)} : std::nullopt;
}
template <typename Number>
double number(Number value) {
  return static_cast<double>(value);
}

inline constexpr MetricState disk_states[]{{0, "可写", "writable"}, {1, "只读", "read-only"}};
inline constexpr MetricState journal_states[]{
    {0, "可靠", "durable"}, {1, "仅在内存", "in memory only"}, {2, "写入失败", "failing"}};
inline constexpr MetricState clock_states[]{
    {0, "已同步", "synchronised"}, {1, "未经核对", "not confirmed"}, {2, "不可信", "unsure"}};
inline constexpr MetricState configuration_states[]{{0, "本地文件", "local file"},
                                                    {1, "中心下发，已生效", "from the centre"},
                                                    {2, "中心下发，试运行", "from the centre, on trial"},
                                                    {3, "中心下发的配置被拒绝", "refused"},
                                                    {4, "已回退", "fallen back"}};
inline constexpr MetricState orders_states[]{{0, "正常", "normal"},
                                             {1, "近期有命令被拒绝", "refused lately"}};
inline constexpr MetricState certificate_states[]{{0, "有效", "valid"},
                                                  {1, "尚未生效", "not valid yet"},
                                                  {2, "已过期", "expired"},
                                                  {3, "无法读取", "unreadable"}};

}  // namespace watchroom::agent
