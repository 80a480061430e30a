/*
 * Stands for the ESP32 with Mongoose OS of the tutorial: mbedTLS, TLS 1.2 only, the cipher suites in the order in which
 * that system offers them, MQTT 3.1.1, one message.
 *
 *   mbedtls-client HOST PORT CA [CERTIFICATE KEY]
 *
 * Like the device, it checks the broker's chain but no name when it was given an address, and it logs each step.
 * Exit code: 0 published, 1 no TLS or connection lost, 2 refused by CONNACK.
 */
#include <stdio.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

static const int suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,
    0,
};

static const char topic[] = "/this/test/esp32_807A98";
static const char message[] = "CONNECTED!";
static const char client_id[] = "esp32_807A98";

static mbedtls_net_context net;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_ssl_config conf;
static mbedtls_ssl_context ssl;
static mbedtls_x509_crt ca, certificate;
static mbedtls_pk_context key;

/** Says what failed in mbedTLS's own words; true when nothing did. */
static int is_well(const char *what, int result) {
  char text[128];
  if (result >= 0) return 1;
  mbedtls_strerror(result, text, sizeof text);
  printf("%s: -0x%04x %s\n", what, (unsigned) -result, text);
  return 0;
}

static int load_key(const char *path) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_pk_parse_keyfile(&key, path, NULL, mbedtls_ctr_drbg_random, &drbg);
#else
  return mbedtls_pk_parse_keyfile(&key, path, NULL);
#endif
}

static int prepare(int argc, char **argv) {
  mbedtls_net_init(&net);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&drbg);
  mbedtls_ssl_config_init(&conf);
  mbedtls_ssl_init(&ssl);
  mbedtls_x509_crt_init(&ca);
  mbedtls_x509_crt_init(&certificate);
  mbedtls_pk_init(&key);
  if (!is_well("random", mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0))) return 0;
  if (!is_well("defaults", mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                                       MBEDTLS_SSL_PRESET_DEFAULT))) return 0;
  mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
  mbedtls_ssl_conf_min_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_max_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_ciphersuites(&conf, suites);
  if (!is_well("CA", mbedtls_x509_crt_parse_file(&ca, argv[3]))) return 0;
  mbedtls_ssl_conf_ca_chain(&conf, &ca, NULL);
  mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_REQUIRED);
  if (argc < 6) return 1;
  return is_well("certificate", mbedtls_x509_crt_parse_file(&certificate, argv[4])) &&
         is_well("key", load_key(argv[5])) &&
         is_well("own certificate", mbedtls_ssl_conf_own_cert(&conf, &certificate, &key));
}

static int dial(const char *host, const char *port) {
  int result;
  if (!is_well("connect", mbedtls_net_connect(&net, host, port, MBEDTLS_NET_PROTO_TCP))) return 0;
  if (!is_well("setup", mbedtls_ssl_setup(&ssl, &conf))) return 0;
  mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
  do result = mbedtls_ssl_handshake(&ssl);
  while (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE);
  if (!is_well("handshake", result)) return 0;
  printf("ciphersuite: %s\n", mbedtls_ssl_get_ciphersuite(&ssl));
  return 1;
}

static size_t put_text(unsigned char *into, const char *text) {
  size_t length = strlen(text);
  into[0] = (unsigned char) (length >> 8);
  into[1] = (unsigned char) length;
  memcpy(into + 2, text, length);
  return length + 2;
}

static int send_packet(unsigned char first, const unsigned char *body, size_t length) {
  unsigned char packet[128] = {first, (unsigned char) length};
  memcpy(packet + 2, body, length);
  return is_well("write", mbedtls_ssl_write(&ssl, packet, length + 2));
}

/** Reads one packet of four bytes, which CONNACK and PUBACK are. */
static int receive(unsigned char *packet) {
  size_t have = 0;
  while (have < 4) {
    int got = mbedtls_ssl_read(&ssl, packet + have, 4 - have);
    if (got == 0) printf("connection closed\n");
    is_well("read", got);
    if (got <= 0) return 0;
    have += (size_t) got;
  }
  return 1;
}

static int send_connect(void) {
  unsigned char body[64] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60};
  return send_packet(0x10, body, 10 + put_text(body + 10, client_id));
}

/** QoS 1, packet identifier 1. */
static int send_publish(void) {
  unsigned char body[96];
  size_t length = put_text(body, topic);
  body[length++] = 0;
  body[length++] = 1;
  memcpy(body + length, message, strlen(message));
  return send_packet(0x32, body, length + strlen(message));
}

int main(int argc, char **argv) {
  unsigned char packet[4];
  if (argc < 4 || !prepare(argc, argv) || !dial(argv[1], argv[2])) return 1;
  if (!send_connect() || !receive(packet) || packet[0] != 0x20) return 1;
  printf("CONNACK %d\n", packet[3]);
  if (packet[3] != 0) return 2;
  if (!send_publish() || !receive(packet) || packet[0] != 0x40) return 1;
  printf("Published:OK topic:%s msg:%s\n", topic, message);
  send_packet(0xe0, packet, 0);
  mbedtls_ssl_close_notify(&ssl);
  return 0;
}
