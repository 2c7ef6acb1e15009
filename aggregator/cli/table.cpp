// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/table.hpp"

#include <algorithm>

#include "proto/base/utf8.hpp"

namespace watchroom::cli {
namespace {

struct Range {
  char32_t first, last;
};

/// Blocks that are Wide or Fullwidth throughout or nearly so (EastAsianWidth.txt, Unicode 15).
constexpr Range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
/// Combining marks and joiners: no column of their own.
constexpr Range zero[] = {
    {0x0300, 0x036f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};

template <std::size_t count>
bool is_in(const Range (&ranges)[count], char32_t character) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& range) { return character >= range.first && character <= range.last; });
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const char32_t character = take_character(text).value_or(U'\ufffd');
    if (!is_in(zero, character)) width += is_in(wide, character) ? 2 : 1;
  }
  return width;
}

Table::Table(std::vector<std::string_view> titles) {
  for (const std::string_view title : titles) titles_.emplace_back(title, Colour::bold);
}

void Table::add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

std::string Table::str(const Console& console) const {
  std::vector<std::size_t> widths;
  for (const Cell& title : titles_) widths.push_back(display_width(title.text));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));

  std::string out;
  const auto write = [&](const std::vector<Cell>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += console.coloured(row[i].text, row[i].colour);
      if (i + 1 < row.size()) out.append(widths[i] - display_width(row[i].text) + 2, ' ');
    }
    out += '\n';
  };
  write(titles_);
  for (const auto& row : rows_) write(row);
  return out;
}

}  // namespace watchroom::cli
