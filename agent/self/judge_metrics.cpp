// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/judge_metrics.hpp"

namespace watchroom::agent {

void output_states_of_judge(const SelfFigures& figures, MetricValues& told) {
  for (const OutputFigures& one : figures.judge.outputs)
    told.push_back({static_cast<double>(one.state), {one.name}, one.name});
}

void output_orders_of_judge(const SelfFigures& figures, MetricValues& told) {
  for (const OutputFigures& one : figures.judge.outputs)
    told.push_back({static_cast<double>(one.order), {one.name}, one.name});
}

void refused_orders_of_judge(const SelfFigures& figures, MetricValues& told) {
  for (const OutputFigures& one : figures.judge.outputs)
    told.push_back({static_cast<double>(one.refused), {one.name}, one.name});
}

void order_progress_of_judge(const SelfFigures& figures, MetricValues& told) {
  for (const OutputFigures& one : figures.judge.outputs)
    told.push_back({static_cast<double>(one.progress), {one.name}, one.name});
}

void output_failures_of_judge(const SelfFigures& figures, MetricValues& told) {
  for (const OutputFigures& one : figures.judge.outputs)
    told.push_back({static_cast<double>(one.failures), {one.name}});
}

void reaction_states_of_judge(const SelfFigures& figures, MetricValues& told) {
  for (const ReactionFigures& one : figures.judge.reactions)
    told.push_back({static_cast<double>(one.state), {one.name}, one.name});
}

void inhibit_state_of_judge(const SelfFigures& figures, MetricValues& told) {
  if (!figures.judge.outputs.empty()) told.push_back({figures.judge.inhibit.is_inhibited ? 1.0 : 0.0});
}

void inhibit_text_of_judge(const SelfFigures& figures, MetricValues& told) {
  if (!figures.judge.outputs.empty()) told.push_back({1.0, {figures.judge.inhibit_text}});
}

}  // namespace watchroom::agent
