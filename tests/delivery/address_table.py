"""URLs, where they may lead, and the list of allowed receivers that they are tried with."""

import ipaddress

NAMES = {
    "public.example": ["93.184.216.34"],
    "dual.example": ["2606:4700::1111", "93.184.216.34"],
    "inside.example": ["10.0.0.5"],
    "loopback.example": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
    "shared.example": ["100.64.0.9"],
    "link.example": ["169.254.7.7"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mixed6.example": ["93.184.216.34", "fd00::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "azure.example": ["168.63.129.16"],
    "azure64.example": ["64:ff9b::a83f:8110"],
    "aws.example": ["169.254.169.254"],
    "metadata": ["169.254.169.254"],
    "metadata.google.internal": ["169.254.169.254"],
    "n8n.internal": ["10.9.9.9"],
    "sub.n8n.internal": ["172.16.0.9"],
    "xn--mnchen-3ya.example": ["93.184.216.34"],
    "example.org": ["93.184.216.34"],
    "strasse.example": ["93.184.216.34"],
    "v1.a": ["93.184.216.34"],
}
LIST = (
    "127.0.0.1:5678, 10.0.0.0/8, n8n.internal, [fd12::/64]:8080, 169.254.0.0/16, 192.168.7.7:6379"
)

# Section by section, what no request reaches unless the operator named it.
SPECIAL = [
    *("0.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("255.255.255.255/32", "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96"),
    *("64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    *("5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
]
METADATA = [
    *("169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.23", "169.254.42.42"),
    *("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23"),
    *("fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1"),
    *("fd00:100::100:200", "fe80::a9fe:a9fe"),
]

DISGUISED = [
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7f.0.0.1/",
    "http://0x7f.0.0.1./",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.0.0.01/",
    "http://08.8.8.8/",
    "http://134744072/",
    "http://0/",
    "http://1.1/",
    "http://127.0.0.1./",
    "http://8.8.8.8./",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://example.1/",
    "http://example.0x7f/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:10.0.0.1]/",
    "http://[::ffff:168.63.129.16]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::ffff:0:8.8.8.8]/",
    "http://[::127.0.0.1]/",
    "http://[::8.8.8.8]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b::a83f:8110]/",
    "http://[64:ff9b::808:808]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a83f:8110::]/",
    "http://[2001:0:808:808::80ff:fffe]/",
    "http://[2001:3::1]/",
    "http://192.0.0.9/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[2606:4700::1111%25lo]/",
    "http://[2606:4700::1111%lo]/",
    "http://[::1]x/",
    "http://[2606:4700::1111]x/",
    "http://x[2606:4700::1111]/",
    "http://[v1.a]/",
    "http://[8.8.8.8]/",
    "http://[]/",
    "http://::1/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://\uff18.\uff18.\uff18.\uff18/",
    "http://127\u30020\u30020\u30021/",
    "http://8\u30028\u30028\u30028/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2f@public.example/",
    "http://public%2eexample/",
    "http://public.example%00.evil/",
    "http://user@public.example/",
    "http://user:password@public.example/",
    "http://:@public.example/",
    "http://@127.0.0.1/",
    "http://public.example@127.0.0.1/",
    "http://public.example\\@127.0.0.1/",
    "http://127.0.0.1\\@public.example/",
    "http://public.example\\.evil/",
    "http:\\\\127.0.0.1/",
    "http://stra\u00dfe.example/",
    "http://\u1e9e.example/",
    "http://ex\u200dample.org/",
    "http://ex\u200cample.org/",
    "http://\u03c3\u03c2.example/",
    "http://\u00ad/",
    "http://" + "\u00e4" * 64 + ".example/",
    "http://" + "a" * 64 + ".example/",
    "http://a..example/",
    "http://-a.example/",
    "http://.example/",
    "http://a_b.example/",
    "http://pub lic.example/",
    "http://public.example\t/",
    "http://public.example/\n",
    "http://public.example/\0",
    " http://public.example/",
    "http://public.example;127.0.0.1/",
    "http://public.example,127.0.0.1/",
    "http://*/",
    "http://",
    "http:///path",
    "http:/public.example/",
    "http:public.example",
    "//public.example/",
    "/path",
    "",
    "ftp://public.example/",
    "file:///etc/passwd",
    "gopher://public.example:6379/_",
    "unix:///var/run/docker.sock",
    "data:text/plain,x",
    "http+unix://public.example/",
    "http://public.example/" + "a" * 2048,
]
REFUSED_NAMES = [
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://loopback.example/",
    "http://shared.example/",
    "http://mixed.example/",
    "http://mixed6.example/",
    "http://mapped.example/",
    "http://nat64.example/",
    "http://azure.example/",
    "http://azure64.example/",
    "http://aws.example/",
    "http://metadata/",
    "http://metadata.google.internal/",
    "http://metadata.google.internal./",
    "http://METADATA.google.internal/",
]
REFUSED_PORTS = [
    f"http://public.example:{port}/"
    for port in (
        *(0, 1, 22, 25, 79, 81, 442, 444, 1023, 6000, 6063, 6379, 6667, 11211, 5432, 3306, 27017),
        *(9200, 2375, 2379, 10250, 65536, 99999, "-1", "+80", "8o", "\u0661\u0662"),
    )
]
REFUSED = [
    *DISGUISED,
    *REFUSED_NAMES,
    *REFUSED_PORTS,
    *(f"http://[{each}]/" if ":" in each else f"http://{each}/" for each in METADATA),
]
PUBLIC = {
    "http://public.example/": ("93.184.216.34", 80),
    "https://public.example/": ("93.184.216.34", 443),
    "HTTP://PUBLIC.example/": ("93.184.216.34", 80),
    "http://public.example./": ("93.184.216.34", 80),
    "http://public.example:/": ("93.184.216.34", 80),
    "http://public.example:443/": ("93.184.216.34", 443),
    "http://public.example:1024/a?b=c": ("93.184.216.34", 1024),
    "http://public.example:5999/": ("93.184.216.34", 5999),
    "http://public.example:6064/": ("93.184.216.34", 6064),
    "http://public.example:65535/": ("93.184.216.34", 65535),
    "http://public.example#@127.0.0.1/": ("93.184.216.34", 80),
    "http://public.example?@127.0.0.1/": ("93.184.216.34", 80),
    "http://public.example/@127.0.0.1/": ("93.184.216.34", 80),
    "http://m\u00fcnchen.example/": ("93.184.216.34", 80),
    "http://dual.example/": ("2606:4700::1111", 80),
    "http://8.8.8.8/": ("8.8.8.8", 80),
    "http://[2606:4700::1111]:8443/": ("2606:4700::1111", 8443),
    "http://[2606:4700:0:0::1111]/": ("2606:4700::1111", 80),
    "http://[::ffff:8.8.8.8]/": ("::ffff:8.8.8.8", 80),
    "http://172.15.255.255/": ("172.15.255.255", 80),
    "http://172.32.0.0/": ("172.32.0.0", 80),
    "http://100.63.255.255/": ("100.63.255.255", 80),
    "http://223.255.255.255/": ("223.255.255.255", 80),
    "http://168.63.129.17/": ("168.63.129.17", 80),
}
# Refused with nothing allowed; with the list, the connection goes where the second column says.
NAMED = {
    "http://127.0.0.1:5678/": ("127.0.0.1", 5678),
    "http://loopback.example:5678/": ("127.0.0.1", 5678),
    "http://10.1.2.3/": ("10.1.2.3", 80),
    "http://10.1.2.3:8080/": ("10.1.2.3", 8080),
    "http://inside.example/": ("10.0.0.5", 80),
    "http://n8n.internal:5678/": ("10.9.9.9", 5678),
    "http://N8N.internal./": ("10.9.9.9", 80),
    "http://[fd12::1]:8080/": ("fd12::1", 8080),
    "http://169.254.7.7/": ("169.254.7.7", 80),
    "http://link.example/": ("169.254.7.7", 80),
    "http://192.168.7.7:6379/": ("192.168.7.7", 6379),
}
# Beside what the list names, and refused with it too.
BESIDE = [
    "http://127.0.0.1/",
    "http://127.0.0.1:5679/",
    "http://127.0.0.2:5678/",
    "http://loopback.example:5679/",
    "http://localhost:5678/",  # it is also ::1, which nobody named
    "http://11.0.0.1:25/",
    "http://10.1.2.3:25/",
    "http://10.1.2.3:6379/",  # that port was named for another address
    "http://inside.example:6379/",
    "http://public.example:6379/",
    "http://n8n.internal:22/",
    "http://sub.n8n.internal/",
    "http://[fd12::1]/",
    "http://[fd12:0:0:1::1]:8080/",
    "http://192.168.7.7/",
    "http://[::ffff:10.1.2.3]/",
    "http://[64:ff9b::a01:203]/",
    "http://0.0.0.0:5678/",
    "http://[::]:5678/",
]


def literals(network: str) -> list[str]:
    """The first, the last and one in the middle."""
    block = ipaddress.ip_network(network)
    at = {0, block.num_addresses - 1, block.num_addresses // 2}
    found = [str(block[each]) for each in sorted(at)]
    return [f"http://[{each}]/" if block.version == 6 else f"http://{each}/" for each in found]


SPECIAL_LITERALS = sorted({url for network in SPECIAL for url in literals(network)})
OF_THE_LIST = [
    url
    for url in SPECIAL_LITERALS
    if url.startswith(("http://10.", "http://169.254.")) and url not in REFUSED
]
