// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/release_words.hpp"

#include <array>
#include <string>

#include "proto/base/utf8.hpp"

namespace watchroom::agent {
namespace {

/// A text in lower case without what separates its words; where one may have begun is kept.
struct PlainText {
  std::string text;
  std::string begins;  // of each byte of `text`: '1' where a word begins
};

/// Full width to half width, subscripts (CO₂) to digits.
char32_t folded(char32_t c) {
  constexpr char32_t first_wide = 0xFF01, last_wide = 0xFF5E, first_subscript = 0x2080,
                     last_subscript = 0x2089;
  if (c >= first_wide && c <= last_wide) c -= first_wide - U'!';
  if (c >= first_subscript && c <= last_subscript) c -= first_subscript - U'0';
  return c;
}

bool is_upper(char32_t c) { return c >= U'A' && c <= U'Z'; }
bool is_lower(char32_t c) { return c >= U'a' && c <= U'z'; }
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

/// Hanzi count; blanks, hyphens and dashes of every kind do not.
bool is_kept(char32_t c) { return is_upper(c) || is_lower(c) || is_digit(c) || (c >= 0x3400 && c <= 0x9FFF); }

PlainText plain(std::string_view written) {
  PlainText made;
  char32_t before = U' ';
  while (!written.empty()) {
    const std::string_view rest = written;
    const auto character = take_character(written);
    const char32_t c = character ? folded(*character) : U' ';
    const bool begins = !(is_upper(before) || is_lower(before)) || (is_lower(before) && is_upper(c));
    before = c;
    if (!is_kept(c)) continue;
    if (c < 0x80)
      made.text += static_cast<char>(is_upper(c) ? c + (U'a' - U'A') : c);
    else
      made.text += rest.substr(0, rest.size() - written.size());
    made.begins.resize(made.text.size(), begins ? '1' : '0');
  }
  return made;
}

/// Compounds of the words below that plainly release nothing.
constexpr std::array<std::string_view, 40> harmless{
    "firewall",         "防火墙",           "firesiren",        "firealarmsiren", "firebell",
    "firealarmbell",    "firebeacon",       "firesounder",      "firestrobe",     "消防警铃",
    "消防声光",         "消防控制室",       "消防泵",           "消防监控室",     "co2sensor",
    "co2transmitter",   "co2detector",      "co2monitor",       "co2meter",       "co2level",
    "co2concentration", "二氧化碳传感器",   "二氧化碳变送器",   "二氧化碳浓度",   "gasboiler",
    "gasheater",        "gasmeter",         "gasdetector",      "gassensor",      "gasket",
    "naturalgas",       "batterydischarge", "dischargebattery", "dischargeair",   "dischargetest",
    "waterdischarge",   "surgesuppress",    "doorrelease",      "门禁释放",       "门锁释放"};

struct Word {
  std::string_view text;
  SaidOf weakest = SaidOf::what_is_set;  // what_is_read: means nothing else, wherever it stands
  bool begins = false;                   // only as the beginning of a word: "ig55" is no part of "config 55"
};

constexpr SaidOf anywhere = SaidOf::what_is_read, set = SaidOf::what_is_set;

// Agents by their names in ISO 14520 and NFPA 2001, and by what they are sold as; what holds and frees them.
constexpr std::array words{
    Word{"extinguish", anywhere},
    Word{"firesuppress", anywhere},
    Word{"firepanel", anywhere},
    Word{"firealarmpanel", anywhere},
    Word{"firealarmcontrol", anywhere},
    Word{"releasingpanel", anywhere},
    Word{"cleanagent", anywhere},
    Word{"agentrelease", anywhere},
    Word{"fm200", anywhere, true},
    Word{"hfc227", anywhere},
    Word{"hfc125", anywhere},
    Word{"hfc23", anywhere},
    Word{"hfc236", anywhere},
    Word{"heptafluoropropane", anywhere},
    Word{"fk5112", anywhere},
    Word{"novec", anywhere},
    Word{"halon", anywhere},
    Word{"ig541", anywhere, true},
    Word{"ig100", anywhere, true},
    Word{"ig55", anywhere, true},
    Word{"ig01", anywhere, true},
    Word{"inergen", anywhere},
    Word{"argonite", anywhere},
    Word{"灭火", anywhere},
    Word{"七氟", anywhere},
    Word{"六氟丙烷", anywhere},
    Word{"三氟甲烷", anywhere},
    Word{"全氟己酮", anywhere},
    Word{"哈龙", anywhere},
    Word{"烟烙尽", anywhere},
    Word{"气溶胶", anywhere},
    Word{"启动瓶", anywhere},
    Word{"驱动瓶", anywhere},
    Word{"瓶头阀", anywhere},
    Word{"喷放", anywhere},
    Word{"消防主机", anywhere},
    Word{"火灾报警控制", anywhere},
    Word{"fire", set, true},
    Word{"gas", set, true},
    Word{"co2", set, true},
    Word{"carbondioxide", set},
    Word{"aerosol", set},
    Word{"suppress", set},
    Word{"release", set},
    Word{"discharge", set},
    Word{"deluge", set},
    Word{"sprinkler", set},
    Word{"preaction", set},
    Word{"inertgas", set},
    Word{"消防", set},
    Word{"气体", set},
    Word{"二氧化碳", set},
    Word{"惰性", set},
    Word{"喷洒", set},
    Word{"喷淋", set},
    Word{"喷气", set},
    Word{"雨淋", set},
    Word{"预作用", set},
    Word{"放气", set},
    Word{"释放", set},
    Word{"气瓶", set},
    Word{"钢瓶", set},
    Word{"瓶组", set},
    Word{"选择阀", set},
};

void take_out(PlainText& plain, std::string_view compound) {
  for (auto at = plain.text.find(compound); at != std::string::npos; at = plain.text.find(compound, at + 1)) {
    // A blank in its place: what stood around it makes no new word.
    plain.text.replace(at, compound.size(), " ");
    plain.begins.replace(at, compound.size(), "1");
  }
}

bool holds(const PlainText& plain, const Word& word) {
  for (auto at = plain.text.find(word.text); at != std::string::npos; at = plain.text.find(word.text, at + 1))
    if (!word.begins || plain.begins[at] == '1') return true;
  return false;
}

}  // namespace

std::optional<std::string_view> word_of_release(std::string_view text, SaidOf of) {
  PlainText all = plain(text);
  // What has one meaning only is looked for first: no compound takes a part of it away.
  for (const Word& word : words)
    if (word.weakest == anywhere && holds(all, word)) return word.text;
  if (of == SaidOf::what_is_read) return std::nullopt;
  for (const std::string_view compound : harmless) take_out(all, compound);
  for (const Word& word : words)
    if (word.weakest == set && holds(all, word)) return word.text;
  return std::nullopt;
}

}  // namespace watchroom::agent
