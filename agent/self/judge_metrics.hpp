// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/self/metrics.hpp"

namespace watchroom::agent {

// What metrics.cpp tells of the local judge; nothing where there are no outputs.

constexpr MetricState inhibit_states[]{{0, "正常", "not inhibited"}, {1, "被抑制", "inhibited"}};
constexpr MetricState reaction_states[]{{0, "正常", "normal"},
                                        {1, "延时中", "delayed"},
                                        {2, "触发", "raised"},
                                        {3, "待复位", "waits for a reset"},
                                        {4, "未知", "unknown"}};
constexpr MetricState output_states[]{
    {0, "关", "off"},           {1, "开", "on"},        {2, "动作失败", "does not obey"},
    {3, "被抑制", "inhibited"}, {4, "未知", "unknown"}, {5, "被他人打开", "on, not by us"}};

constexpr MetricState order_states[]{{0, "无", "none"},
                                     {1, "执行中", "under way"},
                                     {2, "已执行", "done"},
                                     {3, "被联动或抑制压过", "overruled"},
                                     {4, "未完成，已放弃", "given up"},
                                     {5, "已到期", "ended"}};

void output_states_of_judge(const SelfFigures& figures, MetricValues& told);
void output_orders_of_judge(const SelfFigures& figures, MetricValues& told);
void refused_orders_of_judge(const SelfFigures& figures, MetricValues& told);
void order_progress_of_judge(const SelfFigures& figures, MetricValues& told);
void output_failures_of_judge(const SelfFigures& figures, MetricValues& told);
void reaction_states_of_judge(const SelfFigures& figures, MetricValues& told);
void inhibit_state_of_judge(const SelfFigures& figures, MetricValues& told);
void inhibit_text_of_judge(const SelfFigures& figures, MetricValues& told);

}  // namespace watchroom::agent
