// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/owed_answers.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

// Longer than three answers of the slowest unit whose answers are still waited for.
constexpr int forgotten_after = 12;
// How many times its reply time-out a slow unit may have; a higher one is for the settings to give.
constexpr int most_patience = 4;
constexpr std::size_t most_owed = 16, most_known = 4;

bool is_read(std::uint8_t function) { return function >= 1 && function <= 4; }
bool is_bit_read(std::uint8_t function) { return function == 1 || function == 2; }
std::uint16_t count_of(Bytes question) { return static_cast<std::uint16_t>(question[3] << 8 | question[4]); }

/// Bytes of content that the answer to a read has; of others nothing that could tell them apart.
std::size_t content_of(Bytes question) {
  if (!is_read(question[0])) return 0;
  return is_bit_read(question[0]) ? (count_of(question) + 7u) / 8u : 2u * count_of(question);
}

bool resemble(Bytes one, Bytes other) { return one[0] == other[0] && content_of(one) == content_of(other); }

/// Whether an answer has the form of those to this question.
bool fits(Bytes answer, Bytes question) {
  if (answer[0] == (question[0] | exception_flag)) return answer.size() == 2;
  if (answer[0] != question[0]) return false;
  return !is_read(question[0]) || answer.size() == 2 + content_of(question);
}

}  // namespace

void OwedAnswers::forget_old(Unit& unit, Instant now) {
  std::erase_if(unit.owed, [now](const Question& question) {
    return now - question.sent > forgotten_after * question.reply_timeout;
  });
  if (unit.owed.size() > most_owed)
    unit.owed.erase(unit.owed.begin(), unit.owed.end() - std::ptrdiff_t{most_owed});
}

void OwedAnswers::asked(int unit, Bytes question, std::chrono::milliseconds reply_timeout, Instant now) {
  Unit& one = units_[unit];
  one.owed.push_back({{question.begin(), question.end()}, reply_timeout, now});
  forget_old(one, now);
}

OwedAnswers::Settles OwedAnswers::answered(int unit, Bytes answer, Instant now) {
  const auto found = units_.find(unit);
  if (found == units_.end() || answer.empty()) return Settles::nothing;
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < found->second.owed.size(); ++i)
    if (fits(answer, found->second.owed[i].pdu)) candidates.push_back(i);
  // An exception has no length: where it may be an earlier question's it is taken for that one's.
  if (!candidates.empty() && (answer[0] & exception_flag) != 0)
    std::erase_if(candidates, [&owed = found->second.owed, first = candidates.front()](std::size_t i) {
      return owed[i].pdu != owed[first].pdu;
    });
  else if (!candidates.empty())
    remember(found->second, found->second.owed[candidates.back()].pdu);
  return settle(found->second, candidates, now);
}

OwedAnswers::Settles OwedAnswers::answered_badly(int unit, std::uint8_t function, Instant now) {
  const auto found = units_.find(unit);
  if (found == units_.end()) return Settles::nothing;
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < found->second.owed.size(); ++i)
    if (found->second.owed[i].pdu[0] == (function & ~exception_flag)) candidates.push_back(i);
  // Which of several it was cannot be told: then all stay owed.
  if (candidates.size() > 1 && candidates.back() + 1 == found->second.owed.size()) return Settles::nothing;
  return settle(found->second, candidates, now);
}

/// `candidates`: what it may answer. Which of several it was shows when the rest comes, or never.
OwedAnswers::Settles OwedAnswers::settle(Unit& unit, const std::vector<std::size_t>& candidates,
                                         Instant now) {
  if (candidates.empty()) return Settles::nothing;
  const bool is_newest = candidates.back() + 1 == unit.owed.size();
  learn(unit, unit.owed[candidates.front()], candidates.size() == 1, now);
  // Of several alike the first is settled: the others stand behind what was asked between them.
  unit.owed.erase(unit.owed.begin(), unit.owed.begin() + static_cast<std::ptrdiff_t>(candidates.front()) + 1);
  unit.last_answer = now;
  return is_newest ? Settles::newest_question : Settles::earlier_question;
}

void OwedAnswers::learn(Unit& unit, const Question& question, bool is_certain, Instant now) {
  // It may be the answer to a later question: then this says nothing of the time it took.
  if (!is_certain && question.sent < unit.last_answer) return;
  // What it was asked meanwhile waits in the unit until it is done with what came before.
  const auto took = now - std::max(question.sent, unit.last_answer);
  if (is_certain && took > question.reply_timeout) unit.was_late = true;
  const std::chrono::nanoseconds most = most_patience / 2 * question.reply_timeout;
  unit.slowest = std::max<std::chrono::nanoseconds>(std::min<std::chrono::nanoseconds>(took, most),
                                                    unit.slowest * 15 / 16);
}

void OwedAnswers::remember(Unit& unit, const Pdu& question) {
  if (!is_read(question[0])) return;
  std::erase_if(unit.known, [&](const Pdu& one) { return resemble(one, question); });
  unit.known.push_back(question);
  if (unit.known.size() > most_known) unit.known.erase(unit.known.begin());
}

bool OwedAnswers::may_be_mistaken(int unit, Bytes question, Instant now) {
  const auto found = units_.find(unit);
  if (found == units_.end()) return false;
  forget_old(found->second, now);
  return std::ranges::any_of(found->second.owed, [&](const Question& owed) {
    // The same registers asked twice: either answer is right. A write is confirmed by what was written then.
    return resemble(owed.pdu, question) && !(is_read(question[0]) && std::ranges::equal(owed.pdu, question));
  });
}

void OwedAnswers::forget(int unit) {
  if (const auto found = units_.find(unit); found != units_.end()) found->second.owed.clear();
}

OwedAnswers::Pdu OwedAnswers::telling_question(int unit, Bytes wanted) const {
  const auto found = units_.find(unit);
  const auto tells = [&](const Pdu& question) {
    return found == units_.end() || std::ranges::none_of(found->second.owed, [&](const Question& owed) {
             return resemble(owed.pdu, question);
           });
  };
  if (found != units_.end())
    for (auto known = found->second.known.rbegin(); known != found->second.known.rend(); ++known)
      if (tells(*known)) return *known;
  // Fewer of what is wanted anyway where there are any to leave out, else more.
  const int step = is_bit_read(wanted[0]) ? 8 : 1, count = count_of(wanted);
  Pdu question{wanted.begin(), wanted.begin() + 5};
  for (int change = step; change <= step * static_cast<int>(most_owed); change += step) {
    const int changed = count > change ? count - change : count + change;
    question[3] = static_cast<std::uint8_t>(changed >> 8);
    question[4] = static_cast<std::uint8_t>(changed & 0xff);
    if (tells(question)) break;
  }
  return question;
}

std::chrono::milliseconds OwedAnswers::patience(int unit, std::chrono::milliseconds reply_timeout) const {
  const auto found = units_.find(unit);
  if (found == units_.end()) return reply_timeout;
  return std::clamp(std::chrono::ceil<std::chrono::milliseconds>(2 * found->second.slowest), reply_timeout,
                    most_patience * reply_timeout);
}

bool OwedAnswers::was_late(int unit) const {
  const auto found = units_.find(unit);
  return found != units_.end() && found->second.was_late;
}

}  // namespace watchroom::agent
