// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What an order's reader takes is written back as the same bytes. Of a message that was signed, changed
// anywhere, nothing but what was signed is ever taken.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "proto/trust/output_order.hpp"
#include "proto/trust/signed_order.hpp"

namespace {

using namespace watchroom;

/// An authority, a key it has certified, and what that key signed.
struct Signed {
  std::filesystem::path folder;
  std::optional<SignatureJudge> judge;
  std::string bytes;
  Order order;

  Signed() {
    std::string pattern = (std::filesystem::temp_directory_path() / "watchroom-fuzz-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) std::abort();
    folder = pattern;
    const std::string begin =
        "cd " + folder.string() +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 99 ";
    run(begin + "-subj /CN=ca -out ca.pem -keyout ca.key");
    run(begin +
        "-subj /CN=centre -CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE -addext "
        "extendedKeyUsage=codeSigning -out signer.pem -keyout signer.key");
    run("cd " + folder.string() + " && openssl x509 -in signer.pem -outform DER -out signer.der");
    judge = SignatureJudge::load(folder / "ca.pem").as_optional();
    const auto key = SigningKey::load(folder / "signer.key");
    std::ifstream certificate{folder / "signer.der", std::ios::binary};
    order = {"output", "centre", "hall1", "cabinet3", 7, from_ms(1), from_ms(2), "siren"};
    if (!judge || !key) std::abort();
    auto made = sign(order, *key, std::string{std::istreambuf_iterator<char>{certificate}, {}});
    std::filesystem::remove_all(folder);
    if (!made || !judge->read(*made, {SystemClock{}.now(), true})) std::abort();
    bytes = *std::move(made);
  }
  static void run(const std::string& command) {
    if (std::system((command + " 2>/dev/null").c_str()) != 0) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  static const Signed original;
  const std::string_view input{reinterpret_cast<const char*>(bytes), size};
  if (const auto order = read_order(input); order && canonical_bytes(*order) != input) std::abort();
  if (const auto order = read_output_order(input); order) {
    const auto again = read_output_order(to_body(*order));
    if (!again || !(*again == *order)) std::abort();
  }
  std::string changed{input};
  if (size > 2) {  // put into the original, at a place that the first two bytes say
    changed = original.bytes;
    const std::size_t at = (static_cast<std::size_t>(bytes[0]) << 8 | bytes[1]) % changed.size();
    changed.replace(at, size - 2, input.substr(2));
  }
  const auto read = original.judge->read(changed, {from_ms(0), false});
  if (read && read->order != original.order) std::abort();
  return 0;
}
