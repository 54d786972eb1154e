package io.caraway.worker;

import io.caraway.v1.WorkerInfo;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** What a worker tells of itself. */
final class Facts {
  private static final String SDK = "caraway-java 0.1.0";

  private Facts() {}

  static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException error) {
      return "localhost";
    }
  }

  static WorkerInfo info(Worker.Builder settings) {
    return WorkerInfo.newBuilder()
        .setName(settings.name)
        .setHostname(host())
        .setPid(ProcessHandle.current().pid())
        .setSdk(SDK)
        .setLanguage("java " + System.getProperty("java.version"))
        .setPool("thread")
        .setConcurrency(settings.concurrency)
        .build();
  }
}
