// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/cli/console.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::cli {

/// Columns on a terminal: Chinese characters take two (Unicode Standard Annex 11, Wide and Fullwidth).
std::size_t display_width(std::string_view text);

struct Cell {
  Cell(std::string_view words, Colour in = Colour::plain) : text{printable(words)}, colour{in} {}
  Cell(const std::string& words, Colour in = Colour::plain) : Cell{std::string_view{words}, in} {}
  Cell(const char* words, Colour in = Colour::plain) : Cell{std::string_view{words}, in} {}
  std::string text;
  Colour colour;
};

/// Rows in aligned columns under their titles.
class Table {
 public:
  explicit Table(std::vector<std::string_view> titles);
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }
  std::string str(const Console& console) const;

 private:
  std::vector<Cell> titles_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace watchroom::cli
