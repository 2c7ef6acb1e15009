// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors

/** A long device (a rack PDU has hundreds of points) first shows this many rows. */
export const rows_at_first = 12;

/** Ones too many to fold away are shown instead of a button that hides them. */
const worth_folding = 3;

/** The rows to show: the first ones, and every abnormal one wherever it stands. */
export function shown_rows<Row>(rows: readonly Row[], is_whole: boolean, is_abnormal: (row: Row) => boolean): readonly Row[] {
  if (is_whole || rows.length < rows_at_first + worth_folding) return rows;
  return rows.filter((row, index) => index < rows_at_first || is_abnormal(row));
}
