# The Java client: built by Maven, its stubs at build time; all that Maven fetches is kept in .build/maven.
LANGUAGES += java

JAVA_MISSING := $(strip $(foreach program,java mvn,$(if $(shell command -v $(program)),,$(program))))
MVN := mvn -B -q -f $(CURDIR)/clients/java -Dmaven.repo.local=$(CURDIR)/.build/maven
JAVA_SOURCES := $(shell find clients/java -name target -prune -o -type f -print) $(PROTOS)

.PHONY: setup-java proto-java lint-java conformance-java

ifneq ($(JAVA_MISSING),)
setup-java lint-java conformance-java:
	@echo "caraway: no $(JAVA_MISSING), so the Java client is left out; on Debian: apt install maven openjdk-17-jdk-headless"; test -z "$$CI"
else

setup-java: .build/java/classpath

# What runs Java programs of this checkout: its classes, and all that they need.
.build/java/classpath: $(JAVA_SOURCES)
	@mkdir -p .build/java
	@$(MVN) test-compile dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/$@.jars -Dmdep.includeScope=test \
		|| { echo "caraway: the Java client can't be built; Maven's message above says why (no Maven Central?)"; exit 1; }
	@printf '%s' "$(CURDIR)/clients/java/target/classes:$(CURDIR)/clients/java/target/test-classes:$$(cat $@.jars)" > $@

lint-java: .build/java/classpath # javac and Javadoc, all warnings as errors (but resources that are only opened and closed)
	@rm -rf .build/java/lint && mkdir -p .build/java/lint
	@javac --release 17 -Xlint:all,-processing,-try -Werror -d .build/java/lint -cp "$$(cat $<)" \
		$$(find clients/java/src clients/java/examples clients/java/conformance clients/java/bench -name '*.java')
	@javadoc -quiet -Xdoclint:all -Werror -d .build/java/javadoc -cp "$$(cat $<)" -sourcepath clients/java/src/main/java \
		io.caraway io.caraway.canvas io.caraway.errors io.caraway.payload io.caraway.worker

conformance-java: .build/conformance/java

.build/conformance/java: .build/java/classpath
	@mkdir -p .build/conformance
	@printf '#!/bin/sh\nexec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "%s" io.caraway.conformance.Main "$$@"\n' "$$(cat $<)" > $@
	@chmod +x $@
endif

proto-java: # its stubs are generated when Maven builds
