// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/clock/era_book.hpp"

namespace watchroom::agent {

std::int64_t EraBook::begin(const std::string& boot, std::chrono::milliseconds offset, ClockTrust trust) {
  do present_ = std::uniform_int_distribution<std::int64_t>{1, 0x7FFFFFFF}(chance_);
  while (eras_.contains(present_));
  add({present_, boot, offset, trust, {}});
  return present_;
}

void EraBook::confirm(const std::string& boot, std::chrono::milliseconds offset) {
  for (auto& [number, era] : eras_) {
    if (era.boot != boot || era.trust == ClockTrust::confirmed) continue;
    era.correction = offset - era.offset;
    era.trust = ClockTrust::confirmed;
  }
}

ClockCorrection EraBook::correction(std::int64_t number) const {
  const auto found = eras_.find(number);
  if (found == eras_.end()) return {};
  return {found->second.correction, found->second.trust == ClockTrust::unsure};
}

}  // namespace watchroom::agent
