#pragma once
// The hash below is used through its plain state, which OpenSSL 3 calls deprecated: the state is a value on the stack
// that can be copied (an HMAC key is two such states), where an EVP context is allocated and fetched per use.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
