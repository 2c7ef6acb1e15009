// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/signing_key.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/trust/mbed.hpp"

namespace watchroom {
namespace {

// A P-256 key in PEM takes about 230 bytes.
using KeyText = std::array<unsigned char, 1024>;

Error cannot(std::string_view what, int code) {
  return fail(Errc::io, Retry::never, "{}: {}", what, mbed_reason(code));
}
Error unusable(const std::filesystem::path& file, std::string_view why) {
  return fail(Errc::invalid, Retry::never, "the signing key {} is of no use: {}", file.string(), why);
}

bool is_p256(const mbedtls_pk_context& key) {
  return mbedtls_pk_get_type(&key) == MBEDTLS_PK_ECKEY &&
         mbedtls_pk_ec(key)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
}

Result<void> write_new(const std::filesystem::path& file, std::string_view text) {
  const auto failed = [&] {
    return fail(Errc::io, Retry::never, "the signing key {}: {}", file.string(), std::strerror(errno));
  };
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed();
  const bool is_written =
      ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(descriptor) == 0;
  const auto error = failed();
  ::close(descriptor);
  if (is_written) return {};
  ::unlink(file.c_str());
  return error;
}

}  // namespace

struct SigningKey::Inside {
  Mbed<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free> key;
  Mbed<mbedtls_entropy_context, mbedtls_entropy_init, mbedtls_entropy_free> entropy;
  Mbed<mbedtls_ctr_drbg_context, mbedtls_ctr_drbg_init, mbedtls_ctr_drbg_free> chance;

  Result<void> seed() {
    const int code = mbedtls_ctr_drbg_seed(chance.get(), mbedtls_entropy_func, entropy.get(), nullptr, 0);
    return code == 0 ? Result<void>{} : cannot("no random numbers", code);
  }
};

SigningKey::SigningKey(std::unique_ptr<Inside> inside) : inside_{std::move(inside)} {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::generate() {
  auto inside = std::make_unique<Inside>();
  if (auto seeded = inside->seed(); !seeded) return seeded.error();
  int code = mbedtls_pk_setup(inside->key.get(), mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (code == 0)
    code = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*inside->key.get()),
                               mbedtls_ctr_drbg_random, inside->chance.get());
  if (code != 0) return cannot("a signing key cannot be made", code);
  return SigningKey{std::move(inside)};
}

Result<SigningKey> SigningKey::load(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return unusable(file, std::strerror(errno));
  if ((status.st_mode & 077) != 0) return unusable(file, "others can read it, expected mode 0600");
  auto inside = std::make_unique<Inside>();
  if (auto seeded = inside->seed(); !seeded) return seeded.error();
  if (const int code = mbedtls_pk_parse_keyfile(inside->key.get(), file.c_str(), nullptr); code != 0)
    return unusable(file, mbed_reason(code));
  if (!is_p256(*inside->key.get())) return unusable(file, "expected an EC key on P-256");
  return SigningKey{std::move(inside)};
}

Result<void> SigningKey::store(const std::filesystem::path& file) const {
  KeyText text{};
  const int code = mbedtls_pk_write_key_pem(inside_->key.get(), text.data(), text.size());
  if (code != 0) return cannot("the signing key cannot be written", code);
  auto written = write_new(file, reinterpret_cast<const char*>(text.data()));
  mbedtls_platform_zeroize(text.data(), text.size());
  return written;
}

std::string SigningKey::public_pem() const {
  KeyText text{};
  mbedtls_pk_write_pubkey_pem(inside_->key.get(), text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

Result<std::string> SigningKey::sign(std::string_view bytes) const {
  std::array<unsigned char, 32> hash{};
  std::array<unsigned char, MBEDTLS_PK_SIGNATURE_MAX_SIZE> signature{};
  std::size_t size = 0;
  int code =
      mbedtls_sha256_ret(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data(), 0);
  if (code == 0)
    code = mbedtls_pk_sign(inside_->key.get(), MBEDTLS_MD_SHA256, hash.data(), hash.size(), signature.data(),
                           &size, mbedtls_ctr_drbg_random, inside_->chance.get());
  if (code != 0) return cannot("nothing can be signed", code);
  return std::string{reinterpret_cast<const char*>(signature.data()), size};
}

}  // namespace watchroom
