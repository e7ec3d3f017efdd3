"""What JmxTool prints becomes counts by topic and by kind of request."""

from lab.bench.benchmark import kafka_cost
from lab.bench.broker_counters import java_options, parse_counters

PRINTED = """Trying to connect to JMX url: service:jmx:rmi:///jndi/rmi://127.0.0.1:1/jmxrmi
time=1796049178523
kafka.network:type=RequestMetrics,name=RequestsPerSec,request=Fetch,version=11:Count=33
kafka.network:type=RequestMetrics,name=RequestsPerSec,request=Produce,version=7:Count={produce}
kafka.network:type=RequestMetrics,name=RequestsPerSec,request=Produce,version=8:Count=1
kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec,topic=login.commands:Count={records}
kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec,topic=login.commands:Count={size}
kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec,topic=auth.response:Count=7
"""


def test_requests_of_all_versions_are_one_kind() -> None:
    assert parse_counters(PRINTED.format(produce=8, records=1, size=1)).requests == {"Fetch": 33, "Produce": 9}


def test_a_login_costs_what_was_counted_since_divided_by_the_logins() -> None:
    before, after = (
        parse_counters(PRINTED.format(produce=produce, records=records, size=size))
        for produce, records, size in ((10, 5, 1000), (30, 15, 9000))
    )
    cost = kafka_cost(1, 10, after.since(before))
    assert cost.requests == {"Produce": 2.0}
    assert [(each.topic, each.records, each.bytes_in) for each in cost.topics] == [("login.commands", 1.0, 800.0)]


def test_a_broker_shows_its_counters_only_where_it_is_asked_to() -> None:
    assert java_options(0) == []
    assert "-Dcom.sun.management.jmxremote.host=127.0.0.1" in java_options(19990)
