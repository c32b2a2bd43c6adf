// Encrypted segments: what opens, what does not, and what the bytes show.

#include "store/segment_sealed.h"
#include "store/segment_header.h"
#include "support/log_contract.h"

#include <set>

using namespace dutybook;
using namespace dutybook::test;
using store::SealedCodec;

namespace {

Secret key(char fill) {
    return *Secret::from(std::string(32, fill));
}

store::Segment segment(std::size_t count = 3, const std::string& mark = "x",
                       std::uint32_t epoch = 1) {
    auto row = row_of(writer_a, 1, 1, count, {});
    row.header.codec = "sealed1";
    row.header.epoch = epoch;
    return {row.header, {}, {}, some_lines(count, mark)};
}

Code refusal(const std::string& blob, const SealedCodec& codec) {
    const auto opened = decode_segment(blob, codec);
    REQUIRE_FALSE(opened);
    return opened.error().code;
}

}  // namespace

TEST_CASE("sealed1: opens to what was sealed, and sealing again gives the same bytes") {
    const SealedCodec codec({{1, key('a')}});
    auto one = segment(50);
    one.next_heard = 1'770'000'000'000;
    const auto blob = value(encode_segment(one, codec));
    CHECK(blob == value(encode_segment(one, SealedCodec({{1, key('a')}, {2, key('b')}}))));
    const auto back = value(decode_segment(blob, codec));
    CHECK(back.lines == one.lines);
    CHECK(back.next_heard == one.next_heard);
    CHECK(codec.current_epoch() == 1);
    CHECK(SealedCodec({{1, key('a')}, {2, key('b')}}).current_epoch() == 2);
}

TEST_CASE("sealed1: nothing but the header is readable") {
    const std::string marker = "zebra-marker-7391";
    auto marked = segment(40, marker);
    const auto sealed = value(encode_segment(marked, SealedCodec({{1, key('a')}})));
    CHECK(sealed.find(marker) == std::string::npos);
    // The payload is no zstd frame that anybody could unpack.
    const auto payload = std::string_view(sealed).substr(sealed.find('\n') + 1);
    CHECK(payload.find("\x28\xb5\x2f\xfd") == std::string_view::npos);
}

TEST_CASE("sealed1: another key, a missing epoch, or no encryption at all is refused") {
    const SealedCodec codec({{1, key('a')}});
    const auto blob = value(encode_segment(segment(), codec));
    CHECK(refusal(blob, SealedCodec({{1, key('b')}})) == Code::Corrupt);
    CHECK(refusal(blob, SealedCodec({{2, key('a')}})) == Code::Unavailable);
    auto plain = segment();
    plain.header.codec = "zstd";
    plain.header.epoch = 0;
    CHECK(refusal(value(encode_segment(plain, store::ZstdCodec())), codec) == Code::Forbidden);
    CHECK_FALSE(encode_segment(plain, codec));
    auto newer = segment();
    newer.header.codec = "sealed2";
    const auto line = store::header_line(newer.header);
    CHECK(refusal(line + "\n" + blob.substr(blob.find('\n') + 1), codec) == Code::NewerFormat);
}

TEST_CASE("sealed1: a changed byte anywhere, header included, is refused") {
    const SealedCodec codec({{1, key('a')}});
    const auto blob = value(encode_segment(segment(), codec));
    std::size_t refused = 0;
    for (std::size_t at = 0; at < blob.size(); ++at) {
        auto changed = blob;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        refused += !decode_segment(changed, codec);
    }
    CHECK(refused == blob.size());
    for (std::size_t size = 0; size < blob.size(); ++size)
        refused += !decode_segment(blob.substr(0, size), codec);
    CHECK(refused == 2 * blob.size());
}

TEST_CASE("sealed1: a payload opens only at its own place") {
    const SealedCodec codec({{1, key('a')}});
    const auto blob = value(encode_segment(segment(), codec));
    const auto payload = blob.substr(blob.find('\n') + 1);
    auto elsewhere = segment().header;
    CHECK(codec.open(elsewhere, payload));
    elsewhere.writer = writer_b;
    CHECK_FALSE(codec.open(elsewhere, payload));
    elsewhere = segment().header;
    elsewhere.space = "another";
    CHECK_FALSE(codec.open(elsewhere, payload));
}

TEST_CASE("sealed1: other content never shares a nonce, even at the same place") {
    const SealedCodec codec({{1, key('a')}});
    std::set<std::string> nonces;
    for (int i = 0; i < 200; ++i) {
        const auto blob = value(encode_segment(segment(1, std::to_string(i)), codec));
        nonces.insert(blob.substr(blob.find('\n') + 1, 24));
    }
    CHECK(nonces.size() == 200);
}

TEST_CASE("sealed1: sizes come in steps that cost at most 256 bytes or about 3 %") {
    for (std::size_t size = 0; size < 2'000'000; size += size / 97 + 1) {
        const auto padded = store::padded_size(size);
        CHECK(padded > size);
        CHECK(padded % 256 == 0);
        CHECK(padded - size <= std::max<std::size_t>(256, size / 31 + 1));
        CHECK(store::padded_size(padded - 1) == padded);
    }
    const SealedCodec codec({{1, key('a')}});
    CHECK(value(encode_segment(segment(1, "a"), codec)).size() ==
          value(encode_segment(segment(1, "abcdefgh"), codec)).size());
}
