// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/release_words.hpp"

#include <gtest/gtest.h>

namespace watchroom::agent {
namespace {

TEST(ReleaseWords, AreFoundHoweverTheyAreWritten) {
  for (const char* text :
       {"FM-200",         "fm 200",       "FM200",          "ＦＭ－２００", "zoneFM200",    "Novec 1230",
        "NOVEC-1230",     "FK-5-1-12",    "IG-541",         "IG541",        "ig_55",        "HFC-227ea",
        "hfc 227 EA",     "Halon 1301",   "aerosol unit",   "气溶胶",       "CO2",          "CO₂ zone 1",
        "co-2",           "ＣＯ２",       "Discharge",      "suppression",  "Extinguisher", "extin-guish",
        "七氟丙烷",       "七 氟 丙 烷",  "气体灭火",       "灭火",         "放气",         "喷放",
        "启动瓶",         "启动瓶电磁阀", "电磁阀(瓶头阀)", "gas-release",  "gas_release",  "GasRelease",
        "fire relay",     "消防联动",     "二氧化碳",       "clean agent",  "Inergen",      "气瓶间",
        "firewall FM-200"})
    EXPECT_TRUE(word_of_release(text, SaidOf::what_is_set)) << text;
}

TEST(ReleaseWords, AreNotFoundInWhatPlainlyReleasesNothing) {
  for (const char* text : {"进水阀/leak valve",
                           "进水电磁阀",
                           "Water valve",
                           "siren",
                           "fire siren",
                           "消防声光",
                           "beacon",
                           "gas boiler",
                           "CO2 sensor",
                           "二氧化碳浓度",
                           "firewall",
                           "Fire-Wall 2",
                           "Las Vegas",
                           "misfire lamp",
                           "config 55",
                           "config-100",
                           "rig 01",
                           "battery discharge",
                           "discharge air",
                           "door release",
                           "agent relay",
                           "消防控制室PDU",
                           "吸合",
                           "断开",
                           "on",
                           "off",
                           "relay[1].state",
                           "outlet[3].state",
                           ""})
    EXPECT_FALSE(word_of_release(text, SaidOf::what_is_set))
        << text << ": " << *word_of_release(text, SaidOf::what_is_set);
}

TEST(ReleaseWords, OfWhatIsReadCountOnlyWhenTheyMeanNothingElse) {
  for (const char* text : {"FM-200 pressure", "Extinguishing panel", "气体灭火控制器", "消防主机",
                           "Halon bank", "fire alarm panel", "喷放反馈", "fire suppression"})
    EXPECT_TRUE(word_of_release(text, SaidOf::what_is_read)) << text;
  for (const char* text : {"Battery discharge", "CO2", "gas room", "surge suppression", "release",
                           "fire door contact", "二氧化碳", "消防控制室"})
    EXPECT_FALSE(word_of_release(text, SaidOf::what_is_read)) << text;
}

}  // namespace
}  // namespace watchroom::agent
