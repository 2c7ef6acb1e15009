// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "agent/drivers/modbus/frame.hpp"

namespace watchroom::agent {

/// What the units of an RTU line were asked and have not answered yet. An RTU answer does not say what it
/// answers: unit, function and length are all that tells it from another. Units answer in the order in which
/// they were asked, so an answer settles whatever was asked before. No clock, no I/O.
class OwedAnswers {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  using Pdu = std::vector<std::uint8_t>;
  /// What an answer turned out to answer.
  enum class Settles { nothing, earlier_question, newest_question };

  void asked(int unit, Bytes question, std::chrono::milliseconds reply_timeout, Instant now);
  Settles answered(int unit, Bytes answer, Instant now);
  /// A frame with a bad checksum that began like an answer of the unit.
  Settles answered_badly(int unit, std::uint8_t function, Instant now);

  /// Whether an answer that is still owed would pass for the answer to this question.
  bool may_be_mistaken(int unit, Bytes question, Instant now);
  /// It is known that nothing is owed any more.
  void forget(int unit);
  /// A question whose answer cannot be mistaken for any that is owed: one that the unit has answered before,
  /// else the wanted one with another length.
  Pdu telling_question(int unit, Bytes wanted) const;

  /// How long to wait for a unit: longer for one that is known to take its time.
  std::chrono::milliseconds patience(int unit, std::chrono::milliseconds reply_timeout) const;
  /// Whether an answer came, without doubt, later than the unit's reply time-out.
  bool was_late(int unit) const;

 private:
  struct Question {
    Pdu pdu;
    std::chrono::milliseconds reply_timeout;
    Instant sent;
  };
  struct Unit {
    std::vector<Question> owed;  // in the order of asking
    std::vector<Pdu> known;      // reads it answered, each with an answer of another length
    Instant last_answer{};
    std::chrono::nanoseconds slowest{0};  // of late; fades
    bool was_late = false;
  };

  static void forget_old(Unit& unit, Instant now);
  static Settles settle(Unit& unit, const std::vector<std::size_t>& candidates, Instant now);
  static void learn(Unit& unit, const Question& question, bool is_certain, Instant now);
  static void remember(Unit& unit, const Pdu& question);

  std::map<int, Unit> units_;
};

}  // namespace watchroom::agent
