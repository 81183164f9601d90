#!/usr/bin/env php
<?php
// A signed return path without asking dsnd.
// usage: mint.php CAMPAIGN RECIPIENT DOMAIN KEYS_FILE [REF]

function dsnd_lower(string $text): string
{
    return strtr($text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
}

function dsnd_base32(string $octets, int $length): string
{
    $bits = '';
    foreach (str_split($octets) as $octet) {
        $bits .= sprintf('%08b', ord($octet));
    }
    $text = '';
    for ($i = 0; $i < $length; $i++) {
        $text .= 'abcdefghijklmnopqrstuvwxyz234567'[bindec(substr($bits, 5 * $i, 5))];
    }
    return $text;
}

function dsnd_mint(string $campaign, string $recipient, string $domain, string $id, string $key, ?string $ref = null): string
{
    $ref ??= 'h' . dsnd_base32(hash('sha256', dsnd_lower($recipient), true), 13);
    $days = intdiv(time() - 1577836800, 86400);
    $day = '';
    foreach ([10, 5, 0] as $shift) {
        $day .= 'abcdefghijklmnopqrstuvwxyz234567'[($days >> $shift) & 31];
    }
    $domain = dsnd_lower($domain);
    $mac = dsnd_base32(hash_hmac('sha256', "r1.$campaign.$ref.$day@$domain", $key, true), 16);
    return "r1.$campaign.$ref.$day$id$mac@$domain";
}

foreach (file($argv[4]) as $line) {
    if (preg_match('/^\s*([a-z0-9])\s+([0-9a-fA-F]{64})/', $line, $found)) {
        echo dsnd_mint($argv[1], $argv[2], $argv[3], $found[1], hex2bin($found[2]), $argv[5] ?? null), "\n";
        exit(0);
    }
}
fwrite(STDERR, "$argv[4]: no key\n");
exit(1);
