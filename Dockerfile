# One image for api, worker and migrate: what runs is chosen by the command.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has Node 24 itself and a database beside it: the pinned runtime (an install script) and the embedded
# server (an optional package) stay out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY migrations ./migrations
COPY templates ./templates
COPY workers ./workers
COPY src ./src
USER node
VOLUME /data
EXPOSE 8080
# exec form: the process gets the signals itself and shuts down cleanly
ENTRYPOINT ["node", "src/main.ts"]
CMD ["api"]
