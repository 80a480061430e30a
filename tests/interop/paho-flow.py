"""One client of paho-mqtt: connects, subscribes, publishes at every QoS, and prints what came back as JSON.

    paho-flow.py '{"port": 1883, "version": 5, "transport": "tcp", "ca": null, "topic": "t"}'
"""
import json
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

wanted = json.loads(sys.argv[1])
five = wanted["version"] == 5
received = []
done = threading.Event()
subscribed = threading.Event()


def on_connect(client, userdata, flags, code, properties=None):
    received.append({"connack": code if isinstance(code, int) else code.value})
    client.subscribe(wanted["topic"] + "/#", qos=2)


def on_subscribe(client, userdata, mid, granted, properties=None):
    received.append({"granted": [code if isinstance(code, int) else code.value for code in granted]})
    subscribed.set()


def on_message(client, userdata, message):
    item = {"topic": message.topic, "payload": message.payload.decode(), "qos": message.qos, "retain": bool(message.retain)}
    if five:
        item["user"] = getattr(message.properties, "UserProperty", [])
    received.append(item)
    if message.topic.endswith("/2"):
        done.set()


client = mqtt.Client(
    client_id=wanted["id"],
    protocol=wanted["version"],
    transport=wanted["transport"],
    **({} if five else {"clean_session": True}),
)
if wanted["ca"]:
    client.tls_set(wanted["ca"])
if wanted.get("username"):
    client.username_pw_set(wanted["username"], wanted["password"])
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("localhost", wanted["port"], keepalive=20)
client.loop_start()
ok = subscribed.wait(15)
for qos in (0, 1, 2):
    properties = None
    if five:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ("qos", str(qos))
    client.publish("%s/%d" % (wanted["topic"], qos), "payload %d" % qos, qos=qos, properties=properties)
ok = ok and done.wait(15)
client.disconnect()
client.loop_stop()
print(json.dumps(received))
sys.exit(0 if ok else 1)
